package tagged

type inside struct {
	ID string `dynamodbav:"id"`
}

var _ = insideID
