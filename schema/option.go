// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/quiet"
)

// Option is a setting that the definition in Go does not have: billing, streams, tags
// and the like. It is for the methods CreateTable, EnsureTable and VerifyTable of tables.
type Option interface{ apply(*Spec) }

type option func(*Spec)

func (o option) apply(s *Spec) { o(s) }

// Spec is the specification of a table: its definition and the options. Make it with [New]. It is immutable.
type Spec struct {
	table       Table
	indexes     []*Index // each once, sorted by name
	billing     types.BillingMode
	throughput  *types.ProvisionedThroughput
	perIndex    map[string]types.ProvisionedThroughput
	maxOnDemand *types.OnDemandThroughput
	stream      types.StreamViewType
	tags        map[string]string
	protect     *bool
	class       types.TableClass
	sse         *types.SSESpecification
	indexMax    map[string]*types.OnDemandThroughput
	warm        *types.WarmThroughput
	warmIndex   map[string]*types.WarmThroughput
	recovery    *types.PointInTimeRecoverySpecification
	insights    bool
	policy      string
	errs        []error
}

// Format prints the name of the table, for every verb.
func (s Spec) Format(f fmt.State, verb rune) { quiet.Format(f, verb, "schema of "+s.table.Name) }

// LogValue returns the text that Format prints.
func (s Spec) LogValue() slog.Value { return slog.StringValue("schema of " + s.table.Name) }

// New combines a table and its options. The error matches ddb.ErrInvalid and names everything that is wrong: options that
// contradict each other or name missing indexes, different indexes with the same name, and key attributes with two types.
func New(t Table, opts ...Option) (*Spec, error) {
	s := &Spec{table: t, billing: types.BillingModePayPerRequest, perIndex: map[string]types.ProvisionedThroughput{},
		indexMax: map[string]*types.OnDemandThroughput{}, warmIndex: map[string]*types.WarmThroughput{}}
	s.gatherIndexes()
	for _, o := range opts {
		if o == nil {
			s.errs = append(s.errs, errors.New("an option is nil"))
			continue
		}
		o.apply(s)
	}
	s.checkOptions()
	s.checkVectors()
	return s, invalid(s.errs...)
}

// checkOptions finds options that contradict each other or name missing indexes.
func (s *Spec) checkOptions() {
	global := func(option, name string) {
		if !slices.ContainsFunc(s.indexes, func(i *Index) bool { return i.Name == name && i.Global }) {
			s.errs = append(s.errs, fmt.Errorf("option %s: the table has no global index %s", option, name))
		}
	}
	for name := range s.perIndex {
		global("IndexProvisioned", name)
	}
	for name := range s.indexMax {
		global("IndexMaxOnDemand", name)
	}
	for name := range s.warmIndex {
		global("IndexWarmThroughput", name)
	}
	if s.billing == types.BillingModePayPerRequest && len(s.perIndex) > 0 {
		s.errs = append(s.errs, errors.New("option IndexProvisioned on an on-demand table; add Provisioned"))
	}
	if s.billing == types.BillingModeProvisioned && (s.maxOnDemand != nil || len(s.indexMax) > 0) {
		s.errs = append(s.errs, errors.New("option MaxOnDemand on a provisioned table"))
	}
}

// OnDemand bills each request; it is the default.
func OnDemand() Option {
	return option(func(s *Spec) { s.billing, s.throughput = types.BillingModePayPerRequest, nil })
}

// MaxOnDemand limits an on-demand table, and each global index that [IndexMaxOnDemand] does not name, to the given read and write
// units a second; zero means no limit.
func MaxOnDemand(read, write int64) Option {
	return option(func(s *Spec) { s.maxOnDemand = onDemandLimits(read, write) })
}

// IndexMaxOnDemand limits one global index of an on-demand table; zero means no limit.
func IndexMaxOnDemand(index string, read, write int64) Option {
	return option(func(s *Spec) { s.indexMax[index] = onDemandLimits(read, write) })
}

func onDemandLimits(read, write int64) *types.OnDemandThroughput {
	limits := &types.OnDemandThroughput{}
	if read > 0 {
		limits.MaxReadRequestUnits = &read
	}
	if write > 0 {
		limits.MaxWriteRequestUnits = &write
	}
	return limits
}

// indexMaxOnDemand returns the limit of a global index, or the table's if it has none.
func (s *Spec) indexMaxOnDemand(name string) *types.OnDemandThroughput {
	if limits, ok := s.indexMax[name]; ok {
		return limits
	}
	return s.maxOnDemand
}

// WarmThroughput requests the read and write units a second that the table can serve at once, in either billing mode: for a launch
// or a load that begins at full speed. It costs money once, when it is raised, and never decreases; zero leaves the value unchanged. CreateTable sets
// it. VerifyTable and EnsureTable report a table that has less, and change nothing.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput.html
func WarmThroughput(read, write int64) Option {
	return option(func(s *Spec) { s.warm = s.warmUnits("WarmThroughput", read, write) })
}

// IndexWarmThroughput is [WarmThroughput] of one global index.
func IndexWarmThroughput(index string, read, write int64) Option {
	return option(func(s *Spec) {
		if w := s.warmUnits("IndexWarmThroughput", read, write); w != nil {
			s.warmIndex[index] = w
		}
	})
}

func (s *Spec) warmUnits(option string, read, write int64) *types.WarmThroughput {
	if read < 0 || write < 0 || read+write == 0 {
		s.errs = append(s.errs, fmt.Errorf("option %s: %d read and %d write units; one of them must be above 0, and none below", option, read, write))
		return nil
	}
	w := &types.WarmThroughput{}
	if read > 0 {
		w.ReadUnitsPerSecond = &read
	}
	if write > 0 {
		w.WriteUnitsPerSecond = &write
	}
	return w
}

// PointInTimeRecovery keeps backups from which the table can be restored as it was at any second of the last days, 1 to 35. They are billed by
// the table's size. CreateTable and EnsureTable enable it; neither disables it. EnsureTable reports another number of
// days but does not change it.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html
func PointInTimeRecovery(days int) Option {
	return option(func(s *Spec) {
		if days < 1 || days > 35 {
			s.errs = append(s.errs, fmt.Errorf("option PointInTimeRecovery: %d days; it must be 1 to 35", days))
			return
		}
		s.recovery = &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true), RecoveryPeriodInDays: aws.Int32(int32(days))}
	})
}

// ContributorInsights lets CloudWatch count which keys are read and written most, on the table and not on its indexes. It is billed by
// the events. The keys are then readable in CloudWatch. CreateTable and EnsureTable enable it.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/contributorinsights.html
func ContributorInsights() Option {
	return option(func(s *Spec) { s.insights = true })
}

// ResourcePolicy attaches a policy, a JSON document, to a new table: who may do what with it, including other accounts. VerifyTable and EnsureTable compare
// the document with the table's, and change nothing, because a wrong policy can lock out its author.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/access-control-resource-based.html
func ResourcePolicy(document string) Option {
	return option(func(s *Spec) {
		if !json.Valid([]byte(document)) {
			s.errs = append(s.errs, errors.New("option ResourcePolicy: the document is not JSON"))
			return
		}
		s.policy = document
	})
}

// Provisioned reserves the given read and write units a second for the table, and
// as many for each global index that [IndexProvisioned] does not name.
func Provisioned(read, write int64) Option {
	return option(func(s *Spec) {
		s.billing, s.throughput = types.BillingModeProvisioned, s.units("Provisioned", read, write)
	})
}

// IndexProvisioned reserves units for one global index of a provisioned table.
func IndexProvisioned(index string, read, write int64) Option {
	return option(func(s *Spec) {
		if u := s.units("IndexProvisioned", read, write); u != nil {
			s.perIndex[index] = *u
		}
	})
}

// Stream enables DynamoDB Streams, with the given images in its records.
func Stream(view types.StreamViewType) Option {
	return option(func(s *Spec) { s.stream = view })
}

// Tags are the tags of the table. CreateTable and EnsureTable add those that it lacks; VerifyTable reports them, and EnsureTable
// reports those with another value. Other tags of the table are not changed.
func Tags(tags map[string]string) Option {
	return option(func(s *Spec) { s.tags = tags })
}

// DeletionProtection guards the table against DeleteTable.
func DeletionProtection(on bool) Option {
	return option(func(s *Spec) { s.protect = &on })
}

// InfrequentAccess stores the table in the Standard-IA class: cheaper storage, more expensive requests.
func InfrequentAccess() Option {
	return option(func(s *Spec) { s.class = types.TableClassStandardInfrequentAccess })
}

// EncryptWithKMS encrypts with a key of the account: the given key, or the AWS
// managed key for an empty id. Without it DynamoDB uses a key that it owns. VerifyTable compares a key that is given by its id or ARN; for an
// alias, which only KMS can resolve, it compares the kind of encryption.
func EncryptWithKMS(keyID string) Option {
	return option(func(s *Spec) {
		s.sse = &types.SSESpecification{Enabled: aws.Bool(true), SSEType: types.SSETypeKms}
		if keyID != "" {
			s.sse.KMSMasterKeyId = &keyID
		}
	})
}

func (s *Spec) units(option string, read, write int64) *types.ProvisionedThroughput {
	if read < 1 || write < 1 {
		s.errs = append(s.errs, fmt.Errorf("option %s: read and write units must be at least 1", option))
		return nil
	}
	return &types.ProvisionedThroughput{ReadCapacityUnits: &read, WriteCapacityUnits: &write}
}
