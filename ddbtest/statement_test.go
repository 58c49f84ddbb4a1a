// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/ddbtest"
)

// musicTable describes the table of the developer guide's PartiQL pages.
func musicTable() *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName:            aws.String("Music"),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{attr("Artist", "S"), attr("SongTitle", "S"), attr("Genre", "S")},
		KeySchema:            []types.KeySchemaElement{key("Artist", "HASH"), key("SongTitle", "RANGE")},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("ByGenre"), KeySchema: []types.KeySchemaElement{key("Genre", "HASH"), key("SongTitle", "RANGE")},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}},
	}
}

func execute(client *dynamodb.Client, statement string, parameters ...types.AttributeValue) ([]item, error) {
	out, err := client.ExecuteStatement(context.Background(), &dynamodb.ExecuteStatementInput{Statement: &statement, Parameters: parameters})
	if err != nil {
		return nil, err
	}
	return out.Items, nil
}

func wantItems(t *testing.T, client *dynamodb.Client, want []item, statement string, parameters ...types.AttributeValue) {
	t.Helper()
	got, err := execute(client, statement, parameters...)
	if err != nil {
		t.Errorf("%s: %v", statement, err)
		return
	}
	if diff := cmp.Diff(want, got, sameValues); diff != "" {
		t.Errorf("%s: (-want +got)\n%s", statement, diff)
	}
}

func wantRejected(t *testing.T, err error, code, message string) {
	t.Helper()
	answer, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		t.Errorf("got %v, want %s: %s", err, code, message)
		return
	}
	if answer.ErrorCode() != code || answer.ErrorMessage() != message {
		t.Errorf("got %s: %s\nwant %s: %s", answer.ErrorCode(), answer.ErrorMessage(), code, message)
	}
}

// The examples of ql-reference.insert, ql-reference.update and
// ql-reference.delete, each on the result of the last.
func TestStatementWriteGuide(t *testing.T) {
	client := ddbtest.New(t)
	mustCreate(t, client, musicTable())
	numbers := func(members ...string) types.AttributeValue { return &types.AttributeValueMemberNS{Value: members} }
	list := func(members ...types.AttributeValue) types.AttributeValue {
		return &types.AttributeValueMemberL{Value: members}
	}
	detail := func(m item) types.AttributeValue { return &types.AttributeValueMemberM{Value: m} }
	const where = ` WHERE Artist='Acme Band' AND SongTitle='PartiQL Rocks' `
	none := []item{}
	wantItems(t, client, none, `INSERT into Music value {'Artist': 'Acme Band','SongTitle': 'PartiQL Rocks'}`)
	_, err := execute(client, `INSERT into "Music" value {'Artist': 'Acme Band','SongTitle': 'PartiQL Rocks'}`)
	wantRejected(t, err, "DuplicateItemException", "Duplicate primary key exists in table")

	wantItems(t, client, []item{{
		"Artist": str("Acme Band"), "SongTitle": str("PartiQL Rocks"),
		"AwardsWon": num("1"), "AwardDetail": detail(item{"Grammys": list(num("2020"), num("2018"))}),
	}}, `UPDATE "Music" SET AwardsWon=1 SET AwardDetail={'Grammys':[2020, 2018]}`+where+`RETURNING ALL NEW *`)
	wantItems(t, client, none, `UPDATE "Music" REMOVE AwardDetail.Grammys[0]`+where)
	wantItems(t, client, none, `UPDATE "Music" SET AwardDetail.BillBoard=[2020]`+where)
	wantItems(t, client, []item{{"AwardDetail": detail(item{"Grammys": list(num("2018")), "BillBoard": list(num("2020"))})}},
		`SELECT AwardDetail FROM "Music"`+where)
	wantItems(t, client, none, `UPDATE "Music" SET AwardDetail.Grammys=list_append(AwardDetail.Grammys,['2021'])`+where)
	wantItems(t, client, []item{{"Grammys": list(num("2018"), str("2021"))}}, `SELECT AwardDetail.Grammys FROM "Music"`+where)
	wantItems(t, client, none, `UPDATE "Music" SET BandMembers=<<1, 2>>`+where)
	wantItems(t, client, []item{{"BandMembers": numbers("1", "2", "3")}},
		`UPDATE "Music" SET BandMembers=set_add(BandMembers, <<3>>)`+where+`RETURNING MODIFIED NEW *`)
	wantItems(t, client, []item{{"BandMembers": numbers("1", "2", "3")}},
		`UPDATE "Music" SET BandMembers=set_delete(BandMembers, <<2>>)`+where+`RETURNING MODIFIED OLD *`)
	wantItems(t, client, []item{{"AwardsWon": num("3")}},
		`UPDATE Music SET AwardsWon = AwardsWon + ?`+where+`AND AwardsWon < 2 RETURNING MODIFIED NEW *`, num("2"))

	_, err = execute(client, `UPDATE Music SET AwardsWon = 9`+where+`AND AwardsWon < 2`)
	wantRejected(t, err, "ConditionalCheckFailedException", "The conditional request failed")
	_, err = execute(client, `UPDATE Music SET a = 1 WHERE Artist='Nobody' AND SongTitle='Nothing'`)
	wantRejected(t, err, "ConditionalCheckFailedException", "The conditional request failed")
	wantItems(t, client, none, `DELETE FROM "Music" WHERE Artist='Nobody' AND SongTitle='Nothing'`)
	_, err = execute(client, `DELETE FROM "Music"`+where+`AND AwardsWon > 100`)
	wantRejected(t, err, "ConditionalCheckFailedException", "The conditional request failed")
	wantItems(t, client, none, `UPDATE Music REMOVE AwardDetail REMOVE BandMembers`+where)
	wantItems(t, client, []item{{"Artist": str("Acme Band"), "SongTitle": str("PartiQL Rocks"), "AwardsWon": num("3")}},
		`DELETE FROM "Music"`+where+`RETURNING ALL OLD *`)
	wantItems(t, client, none, `SELECT * FROM Music`)
}

// The examples of ql-reference.select, ql-functions and ql-operators.
func TestStatementSelectGuide(t *testing.T) {
	client := ddbtest.New(t)
	mustCreate(t, client, musicTable())
	strs := func(members ...string) types.AttributeValue { return &types.AttributeValueMemberSS{Value: members} }
	song := func(artist, title string, more item) item {
		all := item{"Artist": str(artist), "SongTitle": str(title)}
		maps.Copy(all, more)
		return all
	}
	happy := song("Acme Band", "Happy Day", item{"AlbumTitle": str("Songs About Life"), "Awards": num("10"), "Genre": str("Rock")})
	rocks := song("Acme Band", "PartiQL Rocks", item{"AlbumTitle": str("Another Album"), "Awards": num("8"), "Tags": strs("a", "b")})
	today := song("No One You Know", "Call Me Today", item{
		"AlbumTitle": str("Somewhat Famous"), "Awards": num("1"), "Genre": str("Country"),
		"Detail": &types.AttributeValueMemberM{Value: item{"Label": str("X"), "Takes": &types.AttributeValueMemberL{Value: []types.AttributeValue{num("3"), num("4")}}}},
	})
	other := song("No One You Know", "My Dog Spot", item{"Gone": &types.AttributeValueMemberNULL{Value: true}, "Genre": str("Country")})
	mustPut(t, client, "Music", happy, rocks, today, other)

	for _, c := range []struct {
		statement  string
		parameters []types.AttributeValue
		want       []item
	}{
		{`SELECT * FROM Music WHERE Artist='Acme Band'`, nil, []item{happy, rocks}},
		{`SELECT * FROM Music WHERE Artist=? and SongTitle=?`, []types.AttributeValue{str("Acme Band"), str("Happy Day")}, []item{happy}},
		{`SELECT * FROM Music WHERE 'Happy Day' = SongTitle AND Artist='Nobody'`, nil, []item{}},
		{`SELECT SongTitle FROM Music WHERE Artist='Acme Band' ORDER BY SongTitle DESC`, nil, []item{{"SongTitle": rocks["SongTitle"]}, {"SongTitle": happy["SongTitle"]}}},
		{`SELECT * FROM "Music" WHERE Artist IN ['No One You Know', 'Acme Band'] ORDER BY Artist DESC, SongTitle DESC`, nil, []item{other, today, rocks, happy}},
		{`SELECT * FROM "Music" WHERE Artist IN ('No One You Know', 'Acme Band') AND begins_with(SongTitle, 'My')`, nil, []item{other}},
		{`SELECT Detail.Takes[1], "Detail"."Label" FROM Music WHERE Artist='No One You Know' AND SongTitle='Call Me Today'`, nil, []item{{"Takes[1]": num("4"), "Label": str("X")}}},
		{`SELECT SongTitle FROM Music WHERE Artist='Acme Band' AND SongTitle BETWEEN 'I' AND 'Q'`, nil, []item{{"SongTitle": rocks["SongTitle"]}}},
		{`SELECT SongTitle FROM Music WHERE Artist='Acme Band' AND NOT SongTitle = 'Happy Day'`, nil, []item{{"SongTitle": rocks["SongTitle"]}}},
		{`SELECT SongTitle FROM Music WHERE Artist='Acme Band' AND SongTitle > 'A' AND SongTitle < 'I'`, nil, []item{{"SongTitle": happy["SongTitle"]}}},
		{`SELECT Awards FROM Music WHERE Awards >= 10`, nil, []item{{"Awards": num("10")}}},
		{`SELECT Awards FROM Music WHERE Awards IN [1, 2] OR (contains("Tags", 'a') AND size(AlbumTitle) > 100)`, nil, []item{{"Awards": num("1")}}},
		{`SELECT Awards FROM Music WHERE attribute_type("Tags", 'SS')`, nil, []item{{"Awards": num("8")}}},
		{`SELECT SongTitle FROM Music WHERE Awards IS MISSING`, nil, []item{{"SongTitle": other["SongTitle"]}}},
		{`SELECT SongTitle FROM Music WHERE Gone IS NULL`, nil, []item{{"SongTitle": other["SongTitle"]}}},
		{`SELECT SongTitle FROM Music WHERE Gone IS NOT MISSING AND Gone = null`, nil, []item{{"SongTitle": other["SongTitle"]}}},
		{`SELECT * FROM "Music"."ByGenre" WHERE Genre = 'Country' AND begins_with(SongTitle, 'Call')`, nil,
			[]item{song("No One You Know", "Call Me Today", item{"Genre": str("Country")})}},
		{`SELECT Artist FROM Music.ByGenre WHERE Genre = 'Rock'`, nil, []item{{"Artist": str("Acme Band")}}},
	} {
		wantItems(t, client, c.want, c.statement, c.parameters...)
	}
	if got, err := execute(client, `SELECT * FROM "Music"."ByGenre"`); err != nil || len(got) != 3 {
		t.Errorf("a scan of the index gave %d items, error %v", len(got), err)
	}
}

func TestStatementErrors(t *testing.T) {
	client := ddbtest.New(t)
	mustCreate(t, client, musicTable())
	const (
		validation = "ValidationException"
		noKey      = "Where clause does not contain a mandatory equality on all key attributes"
		param      = "One or more parameter values were invalid: "
	)
	for _, c := range []struct{ statement, code, message string }{
		{``, validation, "1 validation error detected: Value '' at 'statement' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{`NOT A STATEMENT`, validation, "Statement wasn't well formed, can't be processed: Expected data manipulation"},
		{`SELECT * FROM Nothing`, "ResourceNotFoundException", "Requested resource not found"},
		{`INSERT INTO Nothing VALUE {'a': 1}`, "ResourceNotFoundException", "Requested resource not found"},
		{`SELECT * FROM Music WHERE Artist = ?`, validation, "Number of parameters in request and statement don't match."},
		{`SELECT * FROM Music.Nothing`, validation, "The table does not have the specified index"},
		{`SELECT Awards FROM Music.ByGenre WHERE Genre = 'Rock'`, validation, param + "Global secondary index ByGenre does not project [Awards]"},
		{`SELECT * FROM Music.ByGenre WHERE Genre = 'Rock' AND Awards = 1`, validation, param + "Secondary index ByGenre does not project one or more filter attributes: [Awards]"},
		{`SELECT * FROM Music ORDER BY Artist`, validation, "Must have WHERE clause in the statement when using ORDER BY clause."},
		{`SELECT * FROM Music WHERE a = 1 ORDER BY Artist`, validation, "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause."},
		{`SELECT * FROM Music WHERE Artist = 'a' ORDER BY Genre`, validation, "Attribute Genre in ORDER BY clause must be part of the primary key"},
		{`SELECT * FROM Music WHERE Artist = 1`, validation, "Key attribute's data type should match its data type in table's schema: Key Artist"},
		{`INSERT INTO Music VALUE {'Artist': 'a'}`, validation, param + "Missing the key SongTitle in the item"},
		{`INSERT INTO Music VALUE {'Artist': 'a', 'SongTitle': 1}`, validation, param + "Type mismatch for key SongTitle expected: S actual: N"},
		{`UPDATE Music SET a = 1`, validation, noKey},
		{`UPDATE Music SET a = 1 WHERE Artist = 'a'`, validation, noKey},
		{`DELETE FROM Music WHERE Artist = 'a' AND SongTitle > 'b'`, validation, noKey},
		{`DELETE FROM Music WHERE Artist = 'a' AND SongTitle = 1`, validation, "The provided key element does not match the schema"},
		{`UPDATE Music SET SongTitle = 'c' WHERE Artist = 'a' AND SongTitle = 'b'`, validation, param + "Cannot update attribute SongTitle. This attribute is part of the key"},
		{`SELECT * FROM Music WHERE a < true`, validation, "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"},
	} {
		_, err := execute(client, c.statement)
		wantRejected(t, err, c.code, c.message)
	}
	ctx := context.Background()
	_, err := client.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{
		Statement: aws.String(`SELECT * FROM "Music"."ByGenre" WHERE Genre = 'Rock'`), ConsistentRead: aws.Bool(true),
	})
	wantRejected(t, err, validation, "Strongly consistent read is not supported on Global Secondary Indexes")
	_, err = client.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: aws.String(`SELECT * FROM "Music"`), Limit: aws.Int32(0)})
	wantRejected(t, err, validation, "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1")
	_, err = client.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: aws.String(`SELECT * FROM "Music"`), NextToken: aws.String("made up")})
	wantRejected(t, err, validation, "Invalid NextToken")
}

// Pages end at Limit, or at ten items if IN names the partitions, and continue
// where they ended, for all kinds of reads.
func TestStatementPages(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, musicTable())
	for a := range 4 {
		for s := range 6 {
			mustPut(t, client, "Music", item{"Artist": str("a" + strconv.Itoa(a)), "SongTitle": str("s" + strconv.Itoa(s)), "Genre": str("g"), "n": num(strconv.Itoa(s))})
		}
	}
	for _, c := range []struct {
		statement    string
		limit        *int32
		items, pages int
	}{
		{`SELECT * FROM Music`, nil, 24, 1},
		{`SELECT * FROM Music`, aws.Int32(7), 24, 4},
		{`SELECT * FROM Music WHERE n = 3`, aws.Int32(7), 4, 4},
		{`SELECT * FROM Music WHERE Artist = 'a1' ORDER BY SongTitle DESC`, aws.Int32(4), 6, 2},
		{`SELECT * FROM Music WHERE Artist IN ['a3', 'a1', 'a2', 'none']`, nil, 18, 2},
		{`SELECT * FROM Music WHERE Artist IN ['a3', 'a1', 'a2', 'none']`, aws.Int32(5), 18, 4},
		{`SELECT * FROM Music.ByGenre WHERE Genre = 'g' AND SongTitle >= 's1'`, aws.Int32(9), 20, 3},
		{`SELECT * FROM Music WHERE Artist = 'a1' AND SongTitle = 's1'`, aws.Int32(1), 1, 1},
	} {
		seen, pages := map[string]bool{}, 0
		in := &dynamodb.ExecuteStatementInput{Statement: &c.statement, Limit: c.limit}
		for {
			out, err := client.ExecuteStatement(ctx, in)
			if err != nil {
				t.Fatalf("%s: %v", c.statement, err)
			}
			pages++
			for _, it := range out.Items {
				seen[it["Artist"].(*types.AttributeValueMemberS).Value+it["SongTitle"].(*types.AttributeValueMemberS).Value] = true
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				break
			}
		}
		if len(seen) != c.items || pages != c.pages {
			t.Errorf("%s: got %d items on %d pages, want %d on %d", c.statement, len(seen), pages, c.items, c.pages)
		}
	}
	out, err := client.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: aws.String(`SELECT * FROM Music`), Limit: aws.Int32(1)})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.LastEvaluatedKey) != 2 {
		t.Errorf("LastEvaluatedKey is %v", out.LastEvaluatedKey)
	}
	_, err = client.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: aws.String(`SELECT Artist FROM Music`), NextToken: out.NextToken})
	wantRejected(t, err, "ValidationException", "NextToken does not match request")
}
