// SPDX-License-Identifier: Apache-2.0

package write_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/typeditem"
)

func TestDecodeItem(t *testing.T) {
	t.Parallel()
	item := map[string]types.AttributeValue{
		"customer_id": &types.AttributeValueMemberS{Value: "c1"}, "total": &types.AttributeValueMemberN{Value: "9007199254740993"},
		"tags": &types.AttributeValueMemberSS{Value: []string{"b", "a"}}, "foreign": &types.AttributeValueMemberBOOL{Value: true},
	}
	o, err := typeditem.Decode[order](item)
	if err != nil || o.Customer != "c1" || o.Total != 9007199254740993 || len(o.Tags) != 2 || o.Status != "" {
		t.Fatalf("decoded wrongly, or %v", err)
	}
	o, err = typeditem.DecodeJSON[order]([]byte(` {"customer_id":{"S":"c\u0031"},"total":{"N":"3"}} `))
	if err != nil || o.Customer != "c1" || o.Total != 3 {
		t.Fatalf("decoded wrongly, or %v", err)
	}

	for name, data := range map[string]string{
		"wrong type": `{"customer_id":{"BOOL":true}}`, "fraction": `{"total":{"N":"77123.5"}}`, "cut": `{"total":{"N":"77123"`, "more": `{} {}`,
	} {
		if o, err := typeditem.DecodeJSON[order]([]byte(data)); err == nil || o.Customer != "" || strings.Contains(err.Error(), "77123") {
			t.Errorf("%s: no error, an item, or data in the error", name)
		}
	}
	if _, err := typeditem.Decode[order](map[string]types.AttributeValue{"total": nil}); err == nil {
		t.Error("a nil value was read")
	}
	if _, err := typeditem.DecodeJSON[int]([]byte(`{}`)); err == nil {
		t.Error("an item was read into a number")
	}
}
