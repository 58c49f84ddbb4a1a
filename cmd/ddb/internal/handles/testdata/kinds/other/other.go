// Package other declares types that items of another package hold.
package other

import "time"

type hidden struct {
	Name string `dynamodbav:"name"`
}

// Base is embedded.
type Base struct {
	Tenant string `dynamodbav:"tenant"`
	Made   time.Time
}

// Carrier has a field whose type only this package can name.
type Carrier struct {
	Secret hidden `dynamodbav:"secret"`
	Plain  int    `dynamodbav:"plain"`
}
