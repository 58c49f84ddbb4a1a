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

// Sortable is the form of times that a string comparison orders: in UTC, and always as long.
const Sortable = "2006-01-02T15:04:05.000000000Z"

// timeCodec stores a time as [Sortable] text. With the option sdktime, or text, it is the text that MarshalText and the SDK
// give, with the offset that it has and without zeros at the end of its fraction, which does not sort; with the option
// unixtime a number of whole seconds since 1970. All forms are read.
func timeCodec(v *Value) {
	v.kind, v.put = S, v.putSortable
	switch {
	case v.opts.unixTime:
		v.kind = N
		v.put = func(b []byte, r ref) ([]byte, error) { return strconv.AppendInt(b, as[time.Time](r).Unix(), 10), nil }
	case v.opts.sdkTime || v.opts.text:
		v.put = v.putTime
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
		var ok bool
		if *t, ok = utcTime(s); ok || t.UnmarshalText(s) == nil {
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

func (v *Value) putSortable(b []byte, r ref) ([]byte, error) {
	t := as[time.Time](r).UTC()
	if year := t.Year(); year < 0 || year > 9999 {
		return b, unfit(v.typ, "RFC 3339 needs a year from 0 to 9999, in UTC")
	}
	return t.AppendFormat(b, Sortable), nil
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

// utcTime reads the form that times are written in, 2026-11-21T08:30:00.25Z.
func utcTime(s []byte) (time.Time, bool) {
	const form = "0000-00-00T00:00:00"
	if len(s) <= len(form) || len(s) > len(form)+len(".000000000Z") || s[len(s)-1] != 'Z' {
		return time.Time{}, false
	}
	for i := range len(form) {
		if c := s[i]; form[i] == '0' && c-'0' > 9 || form[i] != '0' && c != form[i] {
			return time.Time{}, false
		}
	}
	nano := 0
	if frac := s[len(form) : len(s)-1]; len(frac) > 0 {
		if frac[0] != '.' || len(frac) == 1 {
			return time.Time{}, false
		}
		for _, c := range frac[1:] {
			if c-'0' > 9 {
				return time.Time{}, false
			}
			nano = nano*10 + int(c-'0')
		}
		for range len(".000000000") - len(frac) {
			nano *= 10
		}
	}
	two := func(i int) int { return int(s[i]-'0')*10 + int(s[i+1]-'0') }
	year, month, day := two(0)*100+two(2), two(5), two(8)
	hour, minute, sec := two(11), two(14), two(17)
	if month < 1 || month > 12 || day < 1 || day > 28 && day > daysOf(year, month) || hour > 23 || minute > 59 || sec > 59 {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, sec, nano, time.UTC), true
}

func daysOf(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// keepsSDKTimes says which form the times of a type of items have. From then on they keep it.
func keepsSDKTimes(t reflect.Type) bool {
	form, _ := compiled.times.LoadOrStore(t, false)
	return form.(bool)
}

// KeepSDKTimes stores the times of a struct type, and of all that is in it, as if each had the tag option sdktime. It holds for
// the whole process and comes before the first use of the type: it returns false if the type's times are in use in the
// other form.
func KeepSDKTimes(t reflect.Type, keep bool) bool {
	form, _ := compiled.times.LoadOrStore(t, keep)
	return form.(bool) == keep
}
