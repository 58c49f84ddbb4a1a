// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/ddbtest"
)

// The service's texts for statements, with their sources.
func TestStatementTexts(t *testing.T) {
	client := ddbtest.New(t)
	in := musicTable()
	in.AttributeDefinitions = append(in.AttributeDefinitions, attr("Year", "N"))
	in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
		IndexName: new("ByYear"), KeySchema: []types.KeySchemaElement{key("Genre", "HASH"), key("Year", "HASH")},
		Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
	})
	mustCreate(t, client, in)
	const (
		floci    = "https://github.com/floci-io/floci/pull/3798"
		dynoxide = "https://github.com/nubo-db/dynoxide/blob/main/CHANGELOG.md"
		kind     = "Incorrect operand type for operator or function; operator or function: "
	)
	for _, c := range []struct{ statement, message, source string }{
		{`SELECT * FROM Music WHERE Artist = true`, "Key value must be of type S, N, or B. Key name: Artist, Key type: BOOL", floci},
		{`SELECT * FROM Music WHERE SongTitle > 1`, "Key attribute's data type should match its data type in table's schema: Key SongTitle", floci},
		{`SELECT * FROM Music WHERE Artist IN ['a', 1]`, "Key attribute's data type should match its data type in table's schema: Key Artist", floci},
		{`SELECT * FROM Music WHERE Artist = 'a' OR Artist = 'a'`, "Overlapping conditions with range keys are not supported in where clause", floci},
		{`SELECT * FROM Music WHERE Artist = 'a' AND (SongTitle > 'b' OR SongTitle = 'c')`, "Overlapping conditions with range keys are not supported in where clause", floci},
		{`SELECT * FROM Music WHERE Artist IN ['a', 'b'] ORDER BY SongTitle`, "Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause.", floci},
		{`EXISTS(SELECT * FROM Music WHERE Artist = 'a' AND SongTitle = 's' AND a = 1)`, "EXISTS can only be used in ExecuteTransaction write requests.", floci},
		{`UPDATE Music SET a = 1 WHERE Artist = 'a' AND Artist = 'b' AND SongTitle = 's'`, "Multiple conditions on same key Artist. Only single item Update/Insert/Delete are supported", floci},
		{`DELETE FROM Music WHERE Artist = 'a' AND SongTitle = 's' AND SongTitle = 't'`, "Multiple conditions on same key SongTitle. Only single item Update/Insert/Delete are supported", floci},
		{`UPDATE Music.ByGenre SET a = 1 WHERE Genre = 'a'`, "This operation is not supported on an index", floci},
		{`SELECT * FROM Music.""`, "Path component cannot be an empty string", floci},
		{`SELECT * FROM Music WHERE attribute_exists(a) > 1`, kind + ">, operand type: BOOL", floci},
		{`SELECT * FROM Nothing WHERE a < true`, kind + "<, operand type: BOOL", dynoxide},
		{`SELECT COUNT(*) FROM Nothing`, "Unexpected path component at 1:8:5", dynoxide},
		{`SELECT * FROM Music.ByYear`, "PartiQL is not supported on an index with a multi-attribute key: ByYear", "no record of the service's text"},
	} {
		_, err := execute(client, c.statement)
		t.Run(c.source, func(t *testing.T) { wantRejected(t, err, "ValidationException", c.message) })
	}
}

// Conditions on the key that OR or IN joins read the partitions and ranges that they name.
//
// https://github.com/floci-io/floci/pull/3798
func TestStatementBranches(t *testing.T) {
	client := ddbtest.New(t)
	mustCreate(t, client, musicTable())
	for _, artist := range []string{"a", "b", "c"} {
		for _, title := range []string{"1", "2", "3"} {
			mustPut(t, client, "Music", item{"Artist": str(artist), "SongTitle": str(title), "n": num(title), "Genre": str("g"), "late": &types.AttributeValueMemberBOOL{Value: title == "3"}})
		}
	}
	for _, c := range []struct {
		where, want string
	}{
		{`Artist = 'b' OR Artist = 'a'`, "b1 b2 b3 a1 a2 a3"},
		{`(Artist = 'b' AND SongTitle >= '2') OR Artist = 'c'`, "b2 b3 c1 c2 c3"},
		{`Artist = 'a' AND SongTitle IN ['3', '1']`, "a3 a1"},
		{`Artist = 'a' AND (SongTitle < '2' OR SongTitle = '3')`, "a1 a3"},
		{`Artist IN ['a', 'b'] AND SongTitle IN ['1', '2'] AND n > 1`, "a2 b2"},
		{`Artist = 'a' AND SongTitle > '1' AND SongTitle < '3'`, "a2"},
		{`Artist = 'a' OR n = 2`, "a1 a2 a3 b2 c2"}, // a scan
		{`Artist = 'a' AND Artist = 'b'`, ""},       // a scan
		{`Artist IN ['c', 'a'] ORDER BY Artist`, "a3 a2 a1 c3 c2 c1"},
		{`Artist IN ['a', 'c'] ORDER BY Artist DESC, SongTitle ASC`, "c1 c2 c3 a1 a2 a3"},
		{`Artist = 'a' AND SongTitle IN ['1', '3'] ORDER BY Artist, SongTitle DESC`, "a3 a1"},
		{`Artist = 'a' AND attribute_exists(late) = true AND late = true`, "a3"},
		{`Artist = 'a' AND late IS BOOL AND n IS NOT STRING ORDER BY SongTitle ASC`, "a1 a2 a3"},
	} {
		items, err := execute(client, "SELECT * FROM Music WHERE "+c.where)
		if err != nil {
			t.Errorf("%s: %v", c.where, err)
			continue
		}
		var got []string
		for _, it := range items {
			got = append(got, it["Artist"].(*types.AttributeValueMemberS).Value+it["SongTitle"].(*types.AttributeValueMemberS).Value)
		}
		if diff := cmp.Diff(strings.Fields(c.want), got); diff != "" && !(len(got) == 0 && c.want == "") {
			if strings.Contains(c.where, "n = 2") { // in the order of the table
				if len(got) == len(strings.Fields(c.want)) {
					continue
				}
			}
			t.Errorf("%s: (-want +got)\n%s", c.where, diff)
		}
	}
	wantItems(t, client, []item{{"n": num("7")}}, `FROM Music SET n = 7 WHERE Artist = 'a' AND SongTitle = '1' AND attribute_exists(n) RETURNING MODIFIED NEW *`)
}
