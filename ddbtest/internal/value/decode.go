package value

import "errors"

// Decode reads one value in its wire form.
//
// The error is an [*Error]. A SerializationException (the text is not the wire
// form) takes precedence over a ValidationException (the value breaks a rule)
// wherever the two stand, because the service reads the whole request before
// it validates any of it.
func Decode(raw []byte) (Value, error) {
	return nil, errors.New("value: Decode is not written yet")
}

// DecodeItem reads a map of names to values in wire form. The errors are those
// of [Decode]; the ValidationException is that of the first invalid attribute,
// and its Key is the name of that attribute.
func DecodeItem(raw []byte) (Item, error) {
	return nil, errors.New("value: DecodeItem is not written yet")
}
