// SPDX-License-Identifier: Apache-2.0

package codec

// Lookahead finds top-level attributes of the item that comes next, without reading it: afterwards the decoder stands where it
// stood. values[i] are the bytes of the attribute names[i], which alias the body, and nil where the item lacks it. The item is
// looked at up to the last attribute that is found, so a mistake behind it is left to whoever reads it.
func (d *Decoder) Lookahead(names []string, values [][]byte) error {
	clear(values)
	d.seen = [2][]byte{} // which are of an item before
	from, depth := d.i, d.depth
	err := d.lookahead(names, values)
	d.i, d.depth = from, depth
	return err
}

func (d *Decoder) lookahead(names []string, values [][]byte) error {
	left := len(names)
	more, err := d.open('{', '}')
	for more && err == nil {
		name, err := d.name()
		if err != nil {
			return err
		}
		at := -1
		for i := range names {
			if values[i] == nil && string(name) == names[i] {
				at = i
				break
			}
		}
		d.Peek()
		from := d.i
		if err := d.Skip(); err != nil {
			return err
		}
		if at >= 0 {
			values[at] = d.b[from:d.i:d.i]
			if left--; left == 0 {
				return nil
			}
		}
		if more, err = d.more('}'); err != nil {
			return err
		}
	}
	return err
}

// RawAhead is the value that comes next, which is not read. It aliases the body.
func (d *Decoder) RawAhead() ([]byte, error) {
	d.seen = [2][]byte{}
	from, depth := d.i, d.depth
	raw, err := d.Raw()
	d.i, d.depth = from, depth
	return raw, err
}
