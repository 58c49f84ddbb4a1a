package protocol

// The service's words for a token of the wrong type, by the first byte of the
// token and the type that the parameter has.

const (
	startOfStructure = "Start of structure or map found where not expected."
	startOfList      = "Start of list found where not expected"
)

// notScalar is the error for a token where a String, Integer or Long belongs.
func notScalar(c byte, kind string) error {
	switch token := tokenName(c); {
	case c == '{':
		return mistyped(startOfStructure)
	case c == '[':
		return mistyped("Unrecognized collection type class java.lang." + kind)
	case token == "":
		return malformed()
	default:
		return mistyped(token + " can not be converted to " + article(kind) + " " + kind)
	}
}

func article(kind string) string {
	if kind == "Integer" {
		return "an"
	}
	return "a"
}

// notBoolean is the error for a token where a Boolean belongs.
func notBoolean(c byte) error {
	switch {
	case c == '{':
		return mistyped(startOfStructure)
	case c == '[':
		return mistyped("Unrecognized collection type class java.lang.Boolean")
	case tokenName(c) == "":
		return malformed()
	default:
		return mistyped("Unexpected token received from parser")
	}
}

// notList is the error for a token where a list belongs.
func notList(c byte) error {
	switch {
	case c == '{':
		return mistyped(startOfStructure)
	case tokenName(c) == "":
		return malformed()
	default:
		return mistyped("Unexpected field type")
	}
}

// notStructure is the error for a token where a structure or a map belongs.
func notStructure(c byte, kind string) error {
	switch {
	case c == '[' && kind != "":
		return mistyped("Unrecognized collection type " + kind)
	case c == '[':
		return mistyped(startOfList)
	case tokenName(c) == "":
		return malformed()
	case kind == "":
		return mistyped("Unexpected value type in payload")
	default:
		return mistyped("Unexpected field type")
	}
}

// tokenName returns the parser's name of a scalar token, or "" if c does not
// begin one.
func tokenName(c byte) string {
	switch {
	case c == '"':
		return "STRING_VALUE"
	case c == 't':
		return "TRUE_VALUE"
	case c == 'f':
		return "FALSE_VALUE"
	case c == '-', c >= '0' && c <= '9':
		return "NUMBER_VALUE"
	default:
		return ""
	}
}
