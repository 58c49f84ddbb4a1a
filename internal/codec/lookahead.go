// SPDX-License-Identifier: Apache-2.0

package codec

// Lookahead finds top-level attributes of the item that comes next, without moving the decoder. values[i] has the bytes of the
// attribute names[i], which alias the body, or nil if the item lacks it. The item is read up to the last attribute that is found,
// so errors after it are left to the caller that decodes the item.
func (d *Decoder) Lookahead(names []string, values [][]byte) error {
	clear(values)
	d.captured = [2][]byte{} // they belong to an earlier item
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

// RawAhead returns the value that comes next without reading it. It aliases the body.
func (d *Decoder) RawAhead() ([]byte, error) {
	d.captured = [2][]byte{}
	from, depth := d.i, d.depth
	raw, err := d.Raw()
	d.i, d.depth = from, depth
	return raw, err
}
