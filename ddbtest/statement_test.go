package ddbtest_test

import (
	"context"
	"errors"
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

func wantRefused(t *testing.T, err error, code, message string) {
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
	wantRefused(t, err, "DuplicateItemException", "Duplicate primary key exists in table")

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
	wantRefused(t, err, "ConditionalCheckFailedException", "The conditional request failed")
	_, err = execute(client, `UPDATE Music SET a = 1 WHERE Artist='Nobody' AND SongTitle='Nothing'`)
	wantRefused(t, err, "ConditionalCheckFailedException", "The conditional request failed")
	wantItems(t, client, none, `DELETE FROM "Music" WHERE Artist='Nobody' AND SongTitle='Nothing'`)
	_, err = execute(client, `DELETE FROM "Music"`+where+`AND AwardsWon > 100`)
	wantRefused(t, err, "ConditionalCheckFailedException", "The conditional request failed")
	wantItems(t, client, none, `UPDATE Music REMOVE AwardDetail REMOVE BandMembers`+where)
	wantItems(t, client, []item{{"Artist": str("Acme Band"), "SongTitle": str("PartiQL Rocks"), "AwardsWon": num("3")}},
		`DELETE FROM "Music"`+where+`RETURNING ALL OLD *`)
	wantItems(t, client, none, `SELECT * FROM Music`)
}
