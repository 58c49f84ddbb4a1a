package engine

import "context"

// Limits are the account's limits in the form of the wire.
type Limits struct {
	AccountMaxReadCapacityUnits  int64
	AccountMaxWriteCapacityUnits int64
	TableMaxReadCapacityUnits    int64
	TableMaxWriteCapacityUnits   int64
}

// DescribeLimits returns the limits that a new account has.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
func (e *Engine) DescribeLimits(context.Context) *Limits {
	return &Limits{
		AccountMaxReadCapacityUnits:  80_000,
		AccountMaxWriteCapacityUnits: 80_000,
		TableMaxReadCapacityUnits:    40_000,
		TableMaxWriteCapacityUnits:   40_000,
	}
}

// ContinuousBackups describes the backups of a table in the form of the wire.
type ContinuousBackups struct {
	ContinuousBackupsStatus        string
	PointInTimeRecoveryDescription struct {
		PointInTimeRecoveryStatus string
	}
}

// DescribeContinuousBackups describes the backups of a table as they are until
// somebody asks for more: none can be restored.
func (e *Engine) DescribeContinuousBackups(_ context.Context, table *string) (*ContinuousBackups, error) {
	if _, err := e.describedTable(table); err != nil {
		if AsError(err).Type == ResourceNotFoundException {
			return nil, &Error{Type: TableNotFoundException, Message: "Table not found: " + tableOf(*table)}
		}
		return nil, err
	}
	out := &ContinuousBackups{ContinuousBackupsStatus: "ENABLED"}
	out.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus = "DISABLED"
	return out, nil
}
