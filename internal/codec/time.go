package codec

import (
	"reflect"
	"strconv"
	"time"
)

var timeType = reflect.TypeFor[time.Time]()

// isTime reports time.Time and types made from it.
func isTime(t reflect.Type) bool {
	return t == timeType || t.Kind() == reflect.Struct && t.ConvertibleTo(timeType)
}

// timeCodec stores a time as RFC 3339 text with nanoseconds, or with the option
// unixtime as a number of whole seconds since 1970. Both forms are read.
func timeCodec(v *Value) {
	v.kind, v.put = S, v.putTime
	if v.opts.unixTime {
		v.kind = N
		v.put = func(b []byte, r ref) ([]byte, error) { return strconv.AppendInt(b, as[time.Time](r).Unix(), 10), nil }
	}
	v.enc = v.wrapped
	v.dec = func(d *Decoder, k Kind, r ref) error {
		if k != S && k != N {
			return v.mismatch(k)
		}
		s, err := d.text()
		if err != nil {
			return err
		}
		return v.text(d, k, s, r)
	}
	v.text = func(_ *Decoder, k Kind, s []byte, r ref) (err error) {
		t := as[time.Time](r)
		if k == N {
			sec, problem := parseInt(s)
			if problem != "" {
				return refuse(k, v.typ, problem)
			}
			*t = time.Unix(sec, 0)
			return nil
		}
		if t.UnmarshalText(s) == nil {
			return nil
		}
		// time.Parse is laxer than RFC 3339, and so is stored data.
		if *t, err = time.Parse(time.RFC3339, string(s)); err != nil {
			*t = time.Time{}
			return refuse(k, v.typ, "the text is no RFC 3339 time")
		}
		return nil
	}
}

func (v *Value) putTime(b []byte, r ref) ([]byte, error) {
	t := *as[time.Time](r)
	if t.Location() != time.UTC {
		if _, offset := t.Zone(); offset%60 != 0 {
			// RFC 3339 offsets end at minutes; the text would name another instant.
			t = t.UTC()
		}
	}
	b, err := t.AppendText(b)
	if err != nil {
		return b, unfit(v.typ, "RFC 3339 needs a year from 0 to 9999 and an offset below 24 hours")
	}
	return b, nil
}
