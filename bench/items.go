// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type narrow struct {
	Keys
	N int `dynamodbav:"n"`
}

func newNarrow(i int) narrow { return narrow{N: i * 7919} }

// wide has 60 attributes.
type wide struct {
	Keys
	wideTexts
	wideNumbers
	wideFlags
}

type wideTexts struct {
	Text00 string `dynamodbav:"text00"`
	Text01 string `dynamodbav:"text01"`
	Text02 string `dynamodbav:"text02"`
	Text03 string `dynamodbav:"text03"`
	Text04 string `dynamodbav:"text04"`
	Text05 string `dynamodbav:"text05"`
	Text06 string `dynamodbav:"text06"`
	Text07 string `dynamodbav:"text07"`
	Text08 string `dynamodbav:"text08"`
	Text09 string `dynamodbav:"text09"`
	Text10 string `dynamodbav:"text10"`
	Text11 string `dynamodbav:"text11"`
	Text12 string `dynamodbav:"text12"`
	Text13 string `dynamodbav:"text13"`
	Text14 string `dynamodbav:"text14"`
	Text15 string `dynamodbav:"text15"`
	Text16 string `dynamodbav:"text16"`
	Text17 string `dynamodbav:"text17"`
	Text18 string `dynamodbav:"text18"`
	Text19 string `dynamodbav:"text19"`
	Text20 string `dynamodbav:"text20"`
	Text21 string `dynamodbav:"text21"`
	Text22 string `dynamodbav:"text22"`
	Text23 string `dynamodbav:"text23"`
}

type wideNumbers struct {
	Count00 int     `dynamodbav:"count00"`
	Count01 int     `dynamodbav:"count01"`
	Count02 int     `dynamodbav:"count02"`
	Count03 int     `dynamodbav:"count03"`
	Count04 int     `dynamodbav:"count04"`
	Count05 int     `dynamodbav:"count05"`
	Count06 int     `dynamodbav:"count06"`
	Count07 int     `dynamodbav:"count07"`
	Count08 int     `dynamodbav:"count08"`
	Count09 int     `dynamodbav:"count09"`
	Count10 int     `dynamodbav:"count10"`
	Count11 int     `dynamodbav:"count11"`
	Count12 int     `dynamodbav:"count12"`
	Count13 int     `dynamodbav:"count13"`
	Ratio00 float64 `dynamodbav:"ratio00"`
	Ratio01 float64 `dynamodbav:"ratio01"`
	Ratio02 float64 `dynamodbav:"ratio02"`
	Ratio03 float64 `dynamodbav:"ratio03"`
	Ratio04 float64 `dynamodbav:"ratio04"`
	Ratio05 float64 `dynamodbav:"ratio05"`
	Ratio06 float64 `dynamodbav:"ratio06"`
	Ratio07 float64 `dynamodbav:"ratio07"`
	Ratio08 float64 `dynamodbav:"ratio08"`
	Ratio09 float64 `dynamodbav:"ratio09"`
}

type wideFlags struct {
	Flag00 bool `dynamodbav:"flag00"`
	Flag01 bool `dynamodbav:"flag01"`
	Flag02 bool `dynamodbav:"flag02"`
	Flag03 bool `dynamodbav:"flag03"`
	Flag04 bool `dynamodbav:"flag04"`
	Flag05 bool `dynamodbav:"flag05"`
	Flag06 bool `dynamodbav:"flag06"`
	Flag07 bool `dynamodbav:"flag07"`
	Flag08 bool `dynamodbav:"flag08"`
	Flag09 bool `dynamodbav:"flag09"`
}

func newWide(i int) (w wide) {
	for j, text := range []*string{
		&w.Text00, &w.Text01, &w.Text02, &w.Text03, &w.Text04, &w.Text05, &w.Text06, &w.Text07, &w.Text08, &w.Text09, &w.Text10, &w.Text11,
		&w.Text12, &w.Text13, &w.Text14, &w.Text15, &w.Text16, &w.Text17, &w.Text18, &w.Text19, &w.Text20, &w.Text21, &w.Text22, &w.Text23,
	} {
		*text = fmt.Sprintf("text %d of item %d", j, i)
	}
	for j, count := range []*int{
		&w.Count00, &w.Count01, &w.Count02, &w.Count03, &w.Count04, &w.Count05, &w.Count06, &w.Count07, &w.Count08, &w.Count09, &w.Count10,
		&w.Count11, &w.Count12, &w.Count13,
	} {
		*count = i * (j + 1) * 7919
	}
	for j, ratio := range []*float64{
		&w.Ratio00, &w.Ratio01, &w.Ratio02, &w.Ratio03, &w.Ratio04, &w.Ratio05, &w.Ratio06, &w.Ratio07, &w.Ratio08, &w.Ratio09,
	} {
		*ratio = float64(i) + float64(j)/8
	}
	w.Flag00, w.Flag03, w.Flag07 = i%2 == 0, true, i%3 == 0
	return w
}

type nested struct {
	Keys
	Customer customer            `dynamodbav:"customer"`
	Lines    []line              `dynamodbav:"lines"`
	Parcels  map[string]parcel   `dynamodbav:"parcels"`
	Labels   map[string]string   `dynamodbav:"labels"`
	Notes    map[string][]string `dynamodbav:"notes"`
}

type customer struct {
	Name     string  `dynamodbav:"name"`
	Email    string  `dynamodbav:"email"`
	Billing  Address `dynamodbav:"billing"`
	Shipping Address `dynamodbav:"shipping"`
}

type line struct {
	Article  string  `dynamodbav:"article"`
	Quantity int     `dynamodbav:"quantity"`
	Price    float64 `dynamodbav:"price"`
	Gift     bool    `dynamodbav:"gift"`
}

type parcel struct {
	Carrier string  `dynamodbav:"carrier"`
	Weight  float64 `dynamodbav:"weight"`
	To      Address `dynamodbav:"to"`
}

func newNested(i int) nested {
	home := Address{Street: "221B Baker Street", City: "London", Zip: 12345 + i}
	work := Address{Street: "10 Downing Street", City: "London", Zip: 54321 + i}
	return nested{
		Customer: customer{Name: fmt.Sprintf("Customer %d", i), Email: fmt.Sprintf("c%d@example.com", i), Billing: home, Shipping: work},
		Lines: []line{
			{Article: "teapot", Quantity: 1, Price: 49.95}, {Article: "cup", Quantity: 6 + i%3, Price: 7.5, Gift: true}, {Article: "tea, green", Quantity: i, Price: 3.25},
		},
		Parcels: map[string]parcel{"a": {Carrier: "post", Weight: 1.25, To: home}, "b": {Carrier: "bike", Weight: 0.5, To: work}},
		Labels:  map[string]string{"color": "crimson", "size": "extra-large", "origin": "warehouse-7"},
		Notes:   map[string][]string{"door": {"ring twice", "mind the dog"}},
	}
}

type blob struct {
	Keys
	Thumbnail []byte   `dynamodbav:"thumbnail"`
	Digest    [32]byte `dynamodbav:"digest"`
	Name      string   `dynamodbav:"name"`
}

func newBlob(i int) blob {
	return blob{
		Thumbnail: bytes.Repeat([]byte{byte(i), 7, 13, 42, 99}, 400), Digest: [32]byte{byte(i), 1, 2, 3}, Name: fmt.Sprintf("picture %d", i),
	}
}

type sets struct {
	Keys
	Roles   []string `dynamodbav:"roles,stringset"`
	Scores  []int    `dynamodbav:"scores,numberset"`
	Digests [][]byte `dynamodbav:"digests,binaryset"`
	Words   []string `dynamodbav:"words,stringset"`
}

func newSets(i int) sets {
	s := sets{
		Roles: []string{"admin", "auditor", "owner"}, Scores: []int{i, i + 1, i + 2, 1000 + i, 2000 + i},
		Digests: [][]byte{{byte(i), 1, 2, 3}, {byte(i), 4, 5, 6}},
	}
	for j := range 20 {
		s.Words = append(s.Words, fmt.Sprintf("word-%d-%d", i, j))
	}
	return s
}

type numbers struct {
	Keys
	Small    int8        `dynamodbav:"small"`
	Count    int         `dynamodbav:"count"`
	Large    int64       `dynamodbav:"large"`
	Natural  uint64      `dynamodbav:"natural"`
	Price    float64     `dynamodbav:"price"`
	Tiny     float64     `dynamodbav:"tiny"`
	Ratio    float32     `dynamodbav:"ratio"`
	Exact    json.Number `dynamodbav:"exact"`
	Series   []float64   `dynamodbav:"series"`
	Counts   []int       `dynamodbav:"counts"`
	Balances [4]int64    `dynamodbav:"balances"`
}

func newNumbers(i int) numbers {
	n := numbers{
		Small: int8(i), Count: i * 7919, Large: int64(i) * 987654321987, Natural: uint64(i) * 1e15, Price: float64(i)*1.25 + 0.1,
		Tiny: float64(i+1) / 3e7, Ratio: float32(i) / 8, Exact: "12345678901234567890.12345678", Balances: [4]int64{1, int64(i), -5, 1 << 40},
	}
	for j := range 10 {
		n.Series = append(n.Series, float64(i)+float64(j)/7)
		n.Counts = append(n.Counts, i*j)
	}
	return n
}

// pointers has attributes that are often not there.
type pointers struct {
	Keys
	Name     *string    `dynamodbav:"name,omitempty"`
	Nickname *string    `dynamodbav:"nickname,omitempty"`
	Email    *string    `dynamodbav:"email,omitempty"`
	Age      *int       `dynamodbav:"age,omitempty"`
	Visits   *int64     `dynamodbav:"visits,omitempty"`
	Balance  *float64   `dynamodbav:"balance,omitempty"`
	Active   *bool      `dynamodbav:"active,omitempty"`
	Billing  *Address   `dynamodbav:"billing,omitempty"`
	Shipping *Address   `dynamodbav:"shipping,omitempty"`
	SeenAt   *time.Time `dynamodbav:"seen_at,omitempty"`
}

func newPointers(i int) pointers {
	p := pointers{Name: new(fmt.Sprintf("Customer %d", i)), Age: new(20 + i%60), Active: new(i%2 == 0)}
	if i%2 == 0 {
		p.Nickname, p.Visits = new("nick"), new(int64(i)*987654321)
	}
	if i%3 == 0 {
		p.Email, p.Balance = new(fmt.Sprintf("c%d@example.com", i)), new(float64(i)*1.25+0.1)
	}
	if i%4 != 0 {
		p.Billing = &Address{Street: "221B Baker Street", City: "London", Zip: 12345 + i}
	}
	if i%5 == 0 {
		p.Shipping = &Address{Street: "10 Downing Street", City: "London", Zip: 54321 + i}
	}
	if i%7 != 0 {
		p.SeenAt = new(time.Date(2026, 11, 1+i%28, 12, 34, 56, 123456000, time.UTC))
	}
	return p
}

type anything struct {
	Keys
	Value   any            `dynamodbav:"value"`
	Number  any            `dynamodbav:"number"`
	List    []any          `dynamodbav:"list"`
	Details map[string]any `dynamodbav:"details"`
	More    any            `dynamodbav:"more"`
}

func newAny(i int) anything {
	return anything{
		Value: fmt.Sprintf("value %d", i), Number: i * 7919, List: []any{"a", i, 2.5, true, nil},
		Details: map[string]any{"color": "crimson", "size": 42 + i, "price": 9.75, "sold": true, "tags": []any{"new", "red"}},
		More:    map[string]any{"street": "221B Baker Street", "zip": 12345 + i, "geo": map[string]any{"lat": 51.52, "lon": -0.158}},
	}
}

// custom has types that convert themselves.
type custom struct {
	Keys
	Price    money    `dynamodbav:"price"`
	Shipping money    `dynamodbav:"shipping"`
	State    state    `dynamodbav:"state"`
	At       point    `dynamodbav:"at"`
	History  []state  `dynamodbav:"history"`
	Prices   []money  `dynamodbav:"prices"`
	Note     string   `dynamodbav:"note"`
	Tags     []string `dynamodbav:"tags"`
}

func newCustom(i int) custom {
	return custom{
		Price: money{int64(i) * 125, "EUR"}, Shipping: money{495, "EUR"}, State: state(i % len(states)), At: point{51.52, float64(i) / 8},
		History: []state{0, 1, 2}, Prices: []money{{int64(i), "USD"}, {100, "CHF"}}, Note: fmt.Sprintf("note %d", i), Tags: []string{"new", "red"},
	}
}

// money is stored as text, "12.50 EUR".
type money struct {
	cents    int64
	currency string
}

func (m money) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	return &types.AttributeValueMemberS{Value: fmt.Sprintf("%d.%02d %s", m.cents/100, m.cents%100, m.currency)}, nil
}

func (m *money) UnmarshalDynamoDBAttributeValue(av types.AttributeValue) error {
	s, ok := av.(*types.AttributeValueMemberS)
	if !ok {
		return errors.New("not a text")
	}
	amount, currency, ok := strings.Cut(s.Value, " ")
	whole, cents, ok2 := strings.Cut(amount, ".")
	if !ok || !ok2 {
		return errors.New("not an amount of money")
	}
	w, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return err
	}
	c, err := strconv.ParseInt(cents, 10, 64)
	if err != nil {
		return err
	}
	*m = money{w*100 + c, currency}
	return nil
}

// state is stored by its name.
type state int

var states = []string{"open", "paid", "sent", "closed"}

func (s state) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	return &types.AttributeValueMemberS{Value: states[s]}, nil
}

func (s *state) UnmarshalDynamoDBAttributeValue(av types.AttributeValue) error {
	text, ok := av.(*types.AttributeValueMemberS)
	if !ok {
		return errors.New("not a text")
	}
	for i, name := range states {
		if name == text.Value {
			*s = state(i)
			return nil
		}
	}
	return errors.New("no such state")
}

// point is stored as a map.
type point struct{ lat, lon float64 }

func (p point) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	number := func(f float64) types.AttributeValue {
		return &types.AttributeValueMemberN{Value: strconv.FormatFloat(f, 'g', -1, 64)}
	}
	return &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"lat": number(p.lat), "lon": number(p.lon)}}, nil
}

func (p *point) UnmarshalDynamoDBAttributeValue(av types.AttributeValue) error {
	m, ok := av.(*types.AttributeValueMemberM)
	if !ok {
		return errors.New("not a map")
	}
	for name, to := range map[string]*float64{"lat": &p.lat, "lon": &p.lon} {
		n, ok := m.Value[name].(*types.AttributeValueMemberN)
		if !ok {
			return errors.New("not a point")
		}
		f, err := strconv.ParseFloat(n.Value, 64)
		if err != nil {
			return err
		}
		*to = f
	}
	return nil
}

type times struct {
	Keys
	Created  time.Time   `dynamodbav:"created,sdktime"`
	Changed  time.Time   `dynamodbav:"changed,sdktime"`
	Local    time.Time   `dynamodbav:"local,sdktime"`
	Expires  time.Time   `dynamodbav:"expires,unixtime"`
	Seen     []time.Time `dynamodbav:"seen,sdktime"`
	Duration int64       `dynamodbav:"duration"`
}

func newTimes(i int) times {
	at := time.Date(2026, 11, 1+i%28, 12, 34, 56, 123456000, time.UTC)
	return times{
		Created: at, Changed: at.Add(time.Duration(i) * time.Minute), Local: at.In(time.FixedZone("", 2*60*60)), Expires: at.Truncate(time.Second),
		Seen: []time.Time{at, at.Add(time.Hour), at.Add(2 * time.Hour)}, Duration: int64(i),
	}
}
