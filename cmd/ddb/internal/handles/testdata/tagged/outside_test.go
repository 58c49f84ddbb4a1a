package tagged_test

import "github.com/dynamotable/ddb/cmd/ddb/internal/handles/testdata/tagged"

type outside struct {
	tagged.Plain
	Name string `dynamodbav:"name"`
}

var _ = outsideName
