package tagged

// OnLinux is there on Linux only.
type OnLinux struct {
	ID string `dynamodbav:"id"`
}
