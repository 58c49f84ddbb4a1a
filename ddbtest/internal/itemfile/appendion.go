// SPDX-License-Identifier: Apache-2.0

package itemfile

import (
	"bytes"
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Annotations of lists that are sets.
const (
	ionStrings  = "$dynamodb_SS"
	ionNumbers  = "$dynamodb_NS"
	ionBinaries = "$dynamodb_BS"
)

func appendIonStruct(b []byte, item value.Item) []byte {
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(item)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendIonSymbol(b, name), ':')
		b = appendIon(b, item[name])
	}
	return append(b, '}')
}

func appendIon(b []byte, v value.Value) []byte {
	switch v := v.(type) {
	case value.String:
		return value.AppendString(b, string(v)) // JSON's text is Ion's
	case value.Number:
		return appendIonDecimal(b, v)
	case value.Binary:
		return appendIonBlob(b, string(v))
	case value.Bool:
		return strconv.AppendBool(b, bool(v))
	case value.List:
		return appendIonList(b, "", v, appendIon)
	case value.Map:
		return appendIonStruct(b, value.Item(v))
	case value.StringSet:
		return appendIonList(b, ionStrings, v, value.AppendString)
	case value.NumberSet:
		return appendIonList(b, ionNumbers, v, appendIonDecimal)
	case value.BinarySet:
		return appendIonList(b, ionBinaries, v, appendIonBlob)
	default:
		return append(b, "null"...)
	}
}

func appendIonList[E any](b []byte, annotation string, list []E, element func([]byte, E) []byte) []byte {
	if annotation != "" {
		b = append(append(b, annotation...), "::"...)
	}
	b = append(b, '[')
	for i, e := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = element(b, e)
	}
	return append(b, ']')
}

func appendIonBlob(b []byte, s string) []byte {
	b = base64.StdEncoding.AppendEncode(append(b, "{{"...), []byte(s))
	return append(b, "}}"...)
}

// appendIonDecimal writes a number as the service's examples have it: 103. and 6d2 and 0.5.
func appendIonDecimal(b []byte, n value.Number) []byte {
	text := n.String()
	if strings.Contains(text, ".") {
		return append(b, text...)
	}
	digits := strings.TrimRight(text, "0")
	if zeros := len(text) - len(digits); zeros > 0 && n.Sign() != 0 {
		return strconv.AppendInt(append(append(b, digits...), 'd'), int64(zeros), 10)
	}
	return append(append(b, text...), '.')
}

// appendIonSymbol writes the name of a field, in single quotes where it is no identifier.
func appendIonSymbol(b []byte, name string) []byte {
	if isIdentifier(name) {
		return append(b, name...)
	}
	quoted := value.AppendString(nil, name)
	inner := bytes.ReplaceAll(quoted[1:len(quoted)-1], []byte("'"), []byte(`\'`))
	return append(append(append(b, '\''), inner...), '\'')
}

// isIdentifier reports whether a name can be written without quotes: $7 is a number of the symbol table, and null a keyword.
func isIdentifier(name string) bool {
	if name == "" || strings.Trim(name, "0123456789") == "$" || slices.Contains([]string{"null", "true", "false", "nan"}, name) {
		return false
	}
	for i := range len(name) {
		if !isSymbol(name[i]) {
			return false
		}
	}
	return name[0] < '0' || name[0] > '9'
}

func isSymbol(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$'
}
