// SPDX-License-Identifier: Apache-2.0

package leaks_test

import (
	"reflect"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/attrtype"
	"github.com/dynamotable/ddb/batches"
	"github.com/dynamotable/ddb/change"
	changeimporter "github.com/dynamotable/ddb/change/importer"
	"github.com/dynamotable/ddb/config"
	"github.com/dynamotable/ddb/consumers"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/ddbrules"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/debug"
	"github.com/dynamotable/ddb/dump"
	dumps3 "github.com/dynamotable/ddb/dump/s3"
	"github.com/dynamotable/ddb/entity"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/eventstore/eventstoretest"
	"github.com/dynamotable/ddb/eventstore/importer"
	"github.com/dynamotable/ddb/eventstore/keys"
	"github.com/dynamotable/ddb/grant"
	grantimporter "github.com/dynamotable/ddb/grant/importer"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/hotkeys"
	"github.com/dynamotable/ddb/job"
	"github.com/dynamotable/ddb/keyformat"
	"github.com/dynamotable/ddb/layerstats"
	"github.com/dynamotable/ddb/loader"
	"github.com/dynamotable/ddb/multikey"
	"github.com/dynamotable/ddb/pagetoken"
	"github.com/dynamotable/ddb/payload"
	payloads3 "github.com/dynamotable/ddb/payload/s3"
	"github.com/dynamotable/ddb/position"
	positionimporter "github.com/dynamotable/ddb/position/importer"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/rawtable"
	"github.com/dynamotable/ddb/revision"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/snapshot"
	snapshotimporter "github.com/dynamotable/ddb/snapshot/importer"
	"github.com/dynamotable/ddb/sweep"
	"github.com/dynamotable/ddb/tableinfo"
	"github.com/dynamotable/ddb/unique"
	"github.com/dynamotable/ddb/vector"
)

// exported says how an exported type is filled.
type exported struct {
	typ   reflect.Type
	names []string // fields that hold names of tables, operations and the like, terms of the service, or hashes; a.b is field b of field a
	json  bool     // encoding/json encodes its data: it holds only the caller's own data, or is made to be sent
	word  bool     // a number, or a word of a fixed list
	point bool     // programs only have pointers to it
}

func holds[T any](names ...string) exported {
	return exported{typ: reflect.TypeFor[T](), names: names}
}

// points is holds for a type to which programs only have pointers.
func points[T any]() exported { return exported{typ: reflect.TypeFor[T](), point: true} }

// sends is holds for a type whose JSON contains its data.
func sends[T any](names ...string) exported {
	return exported{typ: reflect.TypeFor[T](), names: names, json: true}
}

// word is for a type that is a word of a fixed list or of the service, or a number.
func word[T any]() exported { return exported{typ: reflect.TypeFor[T](), word: true} }

// exportedTypes are the exported types of all packages that programs import. TestNoTypeShowsData fails for a type that is not listed.
var exportedTypes = map[string]exported{
	"hooks.Action":               holds[hooks.Action]("Name", "Table", "Index"),
	"ddb.Attr":                   holds[ddb.Attr[member, string]](),
	"attrtype.Type":              word[attrtype.Type](),
	"batches.Part":               holds[batches.Part](),
	"batches.Error":              holds[batches.Error](),
	"hooks.Path":                 word[hooks.Path](),
	"rawitem.Item":               holds[rawitem.Item](),
	"rawitem.Value":              holds[rawitem.Value](),
	"entity.Table":               points[entity.Table[any]](),
	"entity.Filter":              holds[entity.Filter](),
	"entity.Option":              holds[entity.Option[any]](),
	"entity.Key":                 holds[entity.Key](),
	"schema.Key":                 holds[schema.Key]("Partition.Name", "Partition.Type", "Sort.Name", "Sort.Type"),
	"schema.KeyAttribute":        holds[schema.KeyAttribute]("Name", "Type"),
	"schema.Index":               holds[schema.Index]("Name", "Projection", "Include", "Key.Partition.Name", "Key.Partition.Type", "Key.Sort.Name", "Key.Sort.Type"),
	"schema.Table":               holds[schema.Table]("Name", "TTL", "Key.Partition.Name", "Key.Partition.Type", "Key.Sort.Name", "Key.Sort.Type", "Indexes.Name", "Indexes.Projection", "Indexes.Include", "Indexes.Key.Partition.Name", "Indexes.Key.Partition.Type", "Indexes.Key.Sort.Name", "Indexes.Key.Sort.Type", "Vectors.Name", "Vectors.Attribute", "Vectors.Distance", "Vectors.Projection", "Vectors.Include", "Vectors.Key.Partition.Name", "Vectors.Key.Partition.Type", "Vectors.Key.Sort.Name", "Vectors.Key.Sort.Type"),
	"schema.Spec":                holds[schema.Spec]("table.Name"),
	"schema.Definition":          holds[schema.Definition]("Create", "TTL"),
	"ddb.SharedTable":            holds[ddb.SharedTable](),
	"ddberr.BatchError":          holds[ddberr.BatchError](),
	"ddb.BatchError":             holds[ddb.BatchError](),
	"ddberr.BatchFailure":        holds[ddberr.BatchFailure](),
	"ddb.BatchStats":             holds[ddb.BatchStats](),
	"ddb.Bin":                    holds[ddb.Bin[member, []byte]](),
	"cost.Budget":                holds[cost.Budget](),
	"cost.BudgetExceeded":        holds[cost.BudgetExceeded]("Exhausted"),
	"hooks.Call":                 holds[hooks.Call]("Operation", "Table", "Tables", "Index", "Label", "Throttled", "Capacity", "ItemCollections.Table", "Path", "PathReason"),
	"cost.Capacity":              holds[cost.Capacity]("Entries.Table", "Entries.Index", "Entries.Operation", "Entries.Label"),
	"cost.Entry":                 holds[cost.Entry]("Table", "Index", "Operation", "Label"),
	"hooks.Failure":              holds[hooks.Failure]("Operation", "Table", "Index", "Label"),
	"ddb.Change":                 holds[ddb.Change[member]](),
	"ddb.ChangeOf":               holds[ddb.ChangeOf[*member]](),
	"ddb.Cond":                   holds[ddb.Cond[member]](),
	"ddb.CondOf":                 holds[ddb.CondOf[*member]](),
	"ddb.ConditionFailed":        holds[ddb.ConditionFailed[member]]("Condition"),
	"progress.Count":             sends[progress.Count]("Name"),
	"job.Change":                 holds[job.Change[member]](),
	"job.Failure":                holds[job.Failure](),
	"job.FileStore":              points[job.FileStore](),
	"job.Job":                    points[job.Job[member, string]](),
	"job.Plan":                   holds[job.Plan](),
	"job.Report":                 holds[job.Report](),
	"job.State":                  holds[job.State]("Owner"),
	"job.TableStore":             points[job.TableStore](),
	"ddb.ScanSegments":           points[ddb.ScanSegments[member]](),
	"sweep.Estimate":             holds[sweep.Estimate](),
	"sweep.Page":                 holds[sweep.Page[member]](),
	"sweep.StoppedError":         points[sweep.StoppedError](),
	"sweep.Sweep":                points[sweep.Sweep[member]](),
	"progress.Limit":             holds[progress.Limit]("Reason"),
	"progress.Progress":          sends[progress.Progress]("Job", "State", "Reason", "Counts.Name"),
	"progress.State":             word[progress.State](),
	"progress.Task":              points[progress.Task](),
	"progress.Tracker":           points[progress.Tracker](),
	"progress.Units":             holds[progress.Units](),
	"layerstats.Stat":            holds[layerstats.Stat]("Layer", "Table", "Event"),
	"consumers.Stats":            holds[consumers.Stats]("Kind", "Table", "Consumer"),
	"cost.Consumed":              holds[cost.Consumed](),
	"ddb.Cursor":                 holds[ddb.Cursor[member]](),
	"ddb.AttrHandle":             points[ddb.AttrHandle[*member, string]](),
	"ddb.BinHandle":              points[ddb.BinHandle[*member, []byte]](),
	"ddb.ListHandle":             points[ddb.ListHandle[*member, string]](),
	"ddb.MapHandle":              points[ddb.MapHandle[*member, string, int]](),
	"ddb.NumHandle":              points[ddb.NumHandle[*member, int]](),
	"ddb.OrdHandle":              points[ddb.OrdHandle[*member, string]](),
	"ddb.SetHandle":              points[ddb.SetHandle[*member, string]](),
	"ddb.StrHandle":              points[ddb.StrHandle[*member, string]](),
	"ddb.CursorOf":               holds[ddb.CursorOf[*member]](),
	"schema.DeletePermission":    holds[schema.DeletePermission]("table"),
	"schema.Difference":          holds[schema.Difference]("Index", "What", "Want", "Got"),
	"cost.Estimate":              holds[cost.Estimate](),
	"cost.Explanation":           holds[cost.Explanation]("Operation", "Table", "Index", "KeyCondition", "Filter", "Condition", "Projection", "Assumptions", "Warnings", "Indexes.Index", "PathReason"),
	"unique.FindingKind":         word[unique.FindingKind](),
	"multikey.Four":              sends[multikey.Four[string, string, string, string]](),
	"ddb.Got":                    sends[ddb.Got[member]](),
	"hotkeys.Key":                holds[hotkeys.Key]("Table", "Index", "Reasons"),
	"hotkeys.Finder":             holds[hotkeys.Finder]("keys.Key.Table", "keys.Key.Index", "keys.Key.Reasons", "least.Key.Table", "least.Key.Index", "least.Key.Reasons"),
	"dump.DamageError":           holds[dump.DamageError]("File", "reason"),
	"dump.Difference":            holds[dump.Difference]("Kind"),
	"dump.FailedError":           holds[dump.FailedError](),
	"dump.Kind":                  word[dump.Kind](),
	"dump.LineError":             holds[dump.LineError]("File"),
	"dump.Record":                holds[dump.Record]("File"),
	"dump.Report":                holds[dump.Report]("Name", "Position"),
	"dump.Source":                holds[dump.Source](),
	"ddb.RawTable":               holds[ddb.RawTable](),
	"rawtable.Table":             holds[rawtable.Table](),
	"rawtable.Keys":              holds[rawtable.Keys]("Partition.Name", "Partition.Type", "Sort.Name", "Sort.Type"),
	"rawtable.Attribute":         holds[rawtable.Attribute]("Name", "Type"),
	"rawtable.Index":             holds[rawtable.Index]("Name", "Keys.Partition.Name", "Keys.Partition.Type", "Keys.Sort.Name", "Keys.Sort.Type", "Projection", "NonKeyAttributes"),
	"rawtable.Read":              holds[rawtable.Read]("Index", "Sort.Op"),
	"rawtable.Sort":              holds[rawtable.Sort]("Op"),
	"ddb.Index":                  holds[ddb.Index[member, string, string]](),
	"cost.IndexCost":             holds[cost.IndexCost]("Index"),
	"ddb.IndexQuery":             holds[ddb.IndexQuery[member, string]](),
	"ddb.IndexScan":              holds[ddb.IndexScan[member]](),
	"ddberr.InvalidError":        holds[ddberr.InvalidError](),
	"ddb.InvalidError":           holds[ddb.InvalidError](),
	"hooks.ItemCollection":       holds[hooks.ItemCollection]("Table"),
	"ddb.Key":                    sends[ddb.Key[string, string]](),
	"keyformat.Format":           holds[keyformat.Format[string]]("core"),
	"cost.Ledger":                holds[cost.Ledger](),
	"cost.Limits":                holds[cost.Limits](),
	"ddb.List":                   holds[ddb.List[member, string]](),
	"ddb.LocalIndex":             holds[ddb.LocalIndex[member, string, string]](),
	"ddb.Map":                    holds[ddb.Map[member, string, int]](),
	"multikey.Key":               holds[multikey.Key[member, multikey.Two[string, string]]](),
	"ddb.NoSortKey":              holds[ddb.NoSortKey](),
	"unique.NotReservedError":    holds[unique.NotReservedError]("Field"),
	"ddb.Num":                    holds[ddb.Num[member, int]](),
	"ddberr.OpError":             holds[ddberr.OpError]("Op", "Table", "Index"),
	"ddb.OpError":                holds[ddb.OpError]("Op", "Table", "Index"),
	"ddb.Ord":                    holds[ddb.Ord[member, string]](),
	"ddberr.OutcomeUnknownError": holds[ddberr.OutcomeUnknownError](),
	"ddb.OutcomeUnknownError":    holds[ddb.OutcomeUnknownError](),
	"ddb.Page":                   holds[ddb.Page[member]](),
	"pagetoken.Sealer":           holds[pagetoken.Sealer]("keys"),
	"hooks.PartitionHash":        word[hooks.PartitionHash](),
	"ddb.Query":                  holds[ddb.Query[member, string]](),
	"cost.Part":                  holds[cost.Part]("Index"),
	"cost.Reserved":              holds[cost.Reserved](),
	"cost.Range":                 holds[cost.Range](),
	"ddb.Reader":                 holds[ddb.Reader[member]](),
	"ddb.RetryBudget":            holds[ddb.RetryBudget](),
	"ddb.RetryPolicy":            holds[ddb.RetryPolicy](),
	"ddb.Revision":               holds[ddb.Revision](),
	"ddb.Scan":                   holds[ddb.Scan[member]](),
	"schema.VectorDistance":      word[schema.VectorDistance](),
	"vector.Hit":                 sends[vector.Hit[member]](),
	"vector.Index":               holds[vector.Index[member, string]](),
	"vector.SimpleIndex":         holds[vector.SimpleIndex[member]](),
	"schema.VectorIndex":         holds[schema.VectorIndex]("Name", "Attribute", "Distance", "Projection", "Include", "Key.Partition.Name", "Key.Partition.Type", "Key.Sort.Name", "Key.Sort.Type"),
	"schema.Error":               holds[schema.Error]("Differences.Index", "Differences.What", "Differences.Want", "Differences.Got"),
	"ddb.Set":                    holds[ddb.Set[member, string]](),
	"ddb.SimpleIndex":            holds[ddb.SimpleIndex[member, string]](),
	"ddb.SimpleTable":            holds[ddb.SimpleTable[member, string]](),
	"ddb.SizeOf":                 holds[ddb.SizeOf[member]](),
	"ddb.SortCond":               holds[ddb.SortCond[string]]("op"),
	"cost.Spent":                 holds[cost.Spent](),
	"ddb.Str":                    holds[ddb.Str[member, string]](),
	"ddb.Table":                  holds[ddb.Table[member, string, string]](),
	"revision.Revision":          holds[revision.Revision](),
	"revision.Tag":               holds[revision.Tag](),
	"tableinfo.Info":             sends[tableinfo.Info]("Name", "Version", "Key"),
	"unique.TakenError":          holds[unique.TakenError]("Field"),
	"multikey.Three":             sends[multikey.Three[string, string, string]](),
	"ddberr.ThrottledError":      holds[ddberr.ThrottledError]("Reasons"),
	"ddb.ThrottledError":         holds[ddb.ThrottledError]("Reasons"),
	"ddberr.ThrottlingReason":    holds[ddberr.ThrottlingReason]("Reason", "Resource"),
	"pagetoken.Binding":          holds[pagetoken.Binding](),
	"pagetoken.Key":              holds[pagetoken.Key]("ID"),
	"ddberr.TransactionError":    holds[ddberr.TransactionError]("Failed"),
	"ddb.TransactionError":       holds[ddb.TransactionError]("Failed"),
	"ddberr.TransactionFailure":  holds[ddberr.TransactionFailure]("Verb", "Table", "Reason"),
	"multikey.Two":               sends[multikey.Two[string, []byte]](),
	"unique.Values":              {typ: reflect.TypeFor[unique.Values[member, string, string]](), point: true, names: []string{"field"}},
	"unique.Claim":               sends[unique.Claim[string]](),
	"unique.Finding":             sends[unique.Finding[string, string]]("Kind"),
	"unique.Option":              holds[unique.Option](),

	"change.Applied":        holds[change.Applied]("Seq"),
	"change.Change":         sends[change.Change[member]]("Kind", "Shard", "Seq", "EventID"),
	"change.Checkpoint":     word[change.Checkpoint](),
	"change.Consumer":       holds[change.Consumer[member]](),
	"change.DataLossError":  holds[change.DataLossError]("Reason", "Stream", "Shard", "After"),
	"change.DecodeError":    holds[change.DecodeError]("Shard", "Seq", "Part"),
	"change.Delivery":       sends[change.Delivery[member]]("Shard", "progress"),
	"change.Event":          holds[change.Event]("Kind", "Shard"),
	"change.EventKind":      word[change.EventKind](),
	"change.Failure":        holds[change.Failure[member]]("Change"),
	"change.Handler":        holds[change.Handler[member]](),
	"change.HandlerError":   holds[change.HandlerError]("Shard", "Seq"),
	"change.Kind":           word[change.Kind](),
	"change.LambdaFailure":  holds[change.LambdaFailure]("ItemIdentifier"),
	"change.LambdaResponse": holds[change.LambdaResponse]("BatchItemFailures.ItemIdentifier"),
	"change.Lease":          holds[change.Lease]("App", "Stream", "Shard", "Owner", "RequestedBy", "Checkpoint", "Parent", "Children"),
	"change.LossReason":     word[change.LossReason](),
	"change.MemoryStore":    holds[change.MemoryStore](),
	"change.OpError":        holds[change.OpError]("Op", "Stream", "Shard"),
	"change.RetryPolicy":    holds[change.RetryPolicy](),
	"change.Seq":            word[change.Seq](),
	"change.ShardStats":     holds[change.ShardStats]("Shard", "Checkpoint", "Handled"),
	"change.Source":         holds[change.Source]("table", "arn"),
	"change.Start":          holds[change.Start]("at"),
	"change.Stats":          holds[change.Stats]("Worker", "Stream", "Shards.Shard", "Shards.Checkpoint", "Shards.Handled"),
	"change.Stream":         holds[change.Stream[member]](),
	"change.TableStore":     holds[change.TableStore](),
	"change.View":           holds[change.View[member, member, string]](),

	"change-importer.Report": holds[changeimporter.Report](),
	"change-importer.State":  holds[changeimporter.State]("Processor", "Stream", "Shards"),

	"ddbtest.Clock":       holds[ddbtest.Clock](),
	"ddbtest.Damage":      holds[ddbtest.Damage]("Kept"),
	"ddbtest.Engine":      holds[ddbtest.Engine](),
	"ddbtest.ImportError": holds[ddbtest.ImportError]("ImportARN", "Bucket", "Key", "Err"),
	"ddbtest.Throughput":  holds[ddbtest.Throughput](),

	"ddbtest-fault.Gate":    holds[fault.Gate](),
	"ddbtest-fault.Matcher": holds[fault.Matcher]("operations", "table"),
	"ddbtest-fault.Plan":    holds[fault.Plan](),
	"ddbtest-fault.Request": sends[fault.Request]("Operation", "Tables", "Fault"),
	"ddbtest-fault.Rule":    holds[fault.Rule]("match.operations", "match.table", "name"),

	"ddbrules.Rule":    holds[ddbrules.Rule](),
	"debug.Accuracy":   holds[debug.Accuracy]("Table", "Operation"),
	"debug.Average":    holds[debug.Average](),
	"debug.Bucket":     holds[debug.Bucket](),
	"debug.BudgetUse":  holds[debug.BudgetUse]("Name", "Process"),
	"debug.CallRecord": holds[debug.CallRecord]("Tables", "Error", "Explain"),
	"debug.Consumer":   holds[debug.Consumer]("Stats.Kind", "Stats.Table", "Stats.Consumer"),
	"debug.Cost":       holds[debug.Cost]("Currency"),
	"debug.Counts":     holds[debug.Counts](),
	"debug.ErrorCount": holds[debug.ErrorCount]("Table", "Operation", "Label", "Type"),
	"debug.Filter":     holds[debug.Filter]("Table", "Label"),
	"debug.History":    holds[debug.History](),
	"debug.HotKey":     holds[debug.HotKey]("Key.Table", "Key.Index", "Key.Reasons", "Process"),
	"debug.Latency":    holds[debug.Latency]("Table", "Operation"),
	"debug.LongCall":   holds[debug.LongCall]("Job", "Process", "State", "Reason"),
	"debug.Outcome":    holds[debug.Outcome]("Table", "Operation", "Label"),
	"debug.PathCount":  holds[debug.PathCount]("Table", "Operation", "Label", "Path", "Reason"),
	"debug.Price":      holds[debug.Price]("Currency"),
	"debug.Process":    holds[debug.Process]("Name", "Error"),
	"debug.Range":      holds[debug.Range](),
	"debug.Rates":      holds[debug.Rates](),
	"debug.Recorder":   holds[debug.Recorder](),
	"debug.CallGroup":  holds[debug.CallGroup]("Table", "Index", "Operation", "Label", "Call.Tables", "Call.Error", "Call.Explain"),
	"debug.Snapshot":   holds[debug.Snapshot]("Tables", "Labels", "Processes.Name", "Processes.Error", "Filter.Table", "Filter.Label", "Units.Table", "Units.Index", "Units.Operation", "Units.Label", "Cost.Currency", "Throughput.Table", "Throughput.Index", "Throughput.Source", "Latencies.Table", "Latencies.Operation", "Throttles.Table", "Throttles.Index", "Throttles.Operation", "Throttles.Label", "Throttles.Reason", "Errors.Table", "Errors.Operation", "Errors.Label", "Errors.Type", "Outcomes.Table", "Outcomes.Operation", "Outcomes.Label", "Budgets.Name", "Budgets.Process", "LongCalls.Job", "LongCalls.Process", "LongCalls.State", "LongCalls.Reason", "Paths.Table", "Paths.Operation", "Paths.Label", "Paths.Path", "Paths.Reason", "HotKeys.Key.Table", "HotKeys.Key.Index", "HotKeys.Key.Reasons", "HotKeys.Process", "Consumers.Stats.Kind", "Consumers.Stats.Table", "Consumers.Stats.Consumer", "Layers.Layer", "Layers.Table", "Layers.Event", "Slowest.Table", "Slowest.Index", "Slowest.Operation", "Slowest.Label", "Slowest.Call.Tables", "Slowest.Call.Error", "Slowest.Call.Explain", "MostExpensive.Table", "MostExpensive.Index", "MostExpensive.Operation", "MostExpensive.Label", "MostExpensive.Call.Tables", "MostExpensive.Call.Error", "MostExpensive.Call.Explain", "Estimates.Table", "Estimates.Operation"),
	"debug.Throughput": holds[debug.Throughput]("Table", "Index", "Source"),
	"debug.Throttle":   holds[debug.Throttle]("Table", "Index", "Operation", "Label", "Reason"),
	"debug.Totals":     holds[debug.Totals](),
	"debug.Units":      holds[debug.Units]("Table", "Index", "Operation", "Label"),

	"eventstore.Aggregate":            sends[eventstore.Aggregate[string]](),
	"eventstore.AmbiguousError":       holds[eventstore.AmbiguousError](),
	"eventstore.Appended":             sends[eventstore.Appended](),
	"eventstore.BackfillReport":       holds[eventstore.BackfillReport](),
	"eventstore.BatchTooLarge":        holds[eventstore.BatchTooLarge](),
	"eventstore.BucketUnit":           word[eventstore.BucketUnit](),
	"eventstore.CacheStats":           holds[eventstore.CacheStats](),
	"eventstore.Commit":               sends[eventstore.Commit](),
	"eventstore.CommitIDReused":       holds[eventstore.CommitIDReused](),
	"eventstore.CopyReport":           holds[eventstore.CopyReport](),
	"eventstore.DuplicateEventID":     holds[eventstore.DuplicateEventID](),
	"eventstore.Edition":              holds[eventstore.Edition](),
	"eventstore.Event":                sends[eventstore.Event](),
	"eventstore.EventTooLarge":        holds[eventstore.EventTooLarge](),
	"eventstore.Expected":             holds[eventstore.Expected](),
	"eventstore.Feed":                 holds[eventstore.Feed](),
	"eventstore.FeedFilter":           holds[eventstore.FeedFilter](),
	"eventstore.Parked":               sends[eventstore.Parked](),
	"eventstore.GapError":             holds[eventstore.GapError](),
	"eventstore.Head":                 sends[eventstore.Head](),
	"eventstore.Key":                  holds[eventstore.Key](),
	"eventstore.NewEvent":             sends[eventstore.NewEvent](),
	"eventstore.Progress":             holds[eventstore.Progress](),
	"eventstore.Projection":           holds[eventstore.Projection]("name"),
	"eventstore.ProjectionStatus":     holds[eventstore.ProjectionStatus]("Name"),
	"eventstore.Position":             holds[eventstore.Position](),
	"eventstore.Repository":           holds[eventstore.Repository[string, string]](),
	"eventstore.Store":                holds[eventstore.Store](),
	"eventstore.TimeFeed":             holds[eventstore.TimeFeed](),
	"eventstore.Types":                holds[eventstore.Types[string]](),
	"eventstore.Upcaster":             holds[eventstore.Upcaster]("Type"),
	"eventstore.View":                 sends[eventstore.View[string]](),
	"eventstore.Views":                holds[eventstore.Views[string]](),
	"eventstore.WrongExpectedVersion": holds[eventstore.WrongExpectedVersion]("Blocking"),

	"eventstore-eventstoretest.StormConfig": holds[eventstoretest.StormConfig](),
	"eventstore-eventstoretest.StormReport": holds[eventstoretest.StormReport](),

	"eventstore-keys.Memory":                      points[keys.Memory](),
	"eventstore-keys.Table":                       points[keys.Table](),
	"eventstore-importer.AngzarrLayout":           word[importer.AngzarrLayout](),
	"eventstore-importer.AngzarrMarker":           word[importer.AngzarrMarker](),
	"eventstore-importer.AngzarrOptions":          holds[importer.AngzarrOptions]("Layout"),
	"eventstore-importer.Difference":              sends[importer.Difference](),
	"eventstore-importer.ESSnapshot":              sends[importer.ESSnapshot](),
	"eventstore-importer.ESView":                  sends[importer.ESView](),
	"eventstore-importer.ExcaliburOptions":        holds[importer.ExcaliburOptions](),
	"eventstore-importer.Record":                  sends[importer.Record](),
	"eventstore-importer.Report":                  sends[importer.Report](),
	"eventstore-importer.SchemelessBridge":        holds[importer.SchemelessBridge](),
	"eventstore-importer.SchemelessBridgeOptions": holds[importer.SchemelessBridgeOptions]("Bucket", "KeyPrefix"),
	"eventstore-importer.SchemelessOptions":       holds[importer.SchemelessOptions](),
	"eventstore-importer.WrongExpectedSequence":   holds[importer.WrongExpectedSequence](),
	"eventstore-importer.Stream":                  sends[importer.Stream](),

	"grant.Act":           sends[grant.Act](),
	"grant.Activity":      sends[grant.Activity](),
	"grant.Config":        holds[grant.Config]("Table", "TablePrefix", "Region", "Endpoint", "DeleteExpiredAfter"),
	"grant.ConflictError": holds[grant.ConflictError](),
	"grant.Decision":      sends[grant.Decision]("Reason"),
	"grant.Entry":         sends[grant.Entry]("Event"),
	"grant.Event":         word[grant.Event](),
	"grant.Grant":         sends[grant.Grant](),
	"grant.Key":           sends[grant.Key](),
	"grant.Mode":          holds[grant.Mode](),
	"grant.Reason":        word[grant.Reason](),
	"grant.Store":         holds[grant.Store](),
	"grant.Tenant":        sends[grant.Tenant](),

	"grant-importer.Options": holds[grantimporter.Options](),
	"grant-importer.Report":  sends[grantimporter.Report](),

	"loader.Loader":       points[loader.Loader[member, string]](),
	"loader.Stats":        holds[loader.Stats](),
	"payload.Data":        sends[payload.Data](),
	"payload.Object":      holds[payload.Object]("Key"),
	"payload.Payloads":    holds[payload.Payloads](),
	"payload.SweepReport": holds[payload.SweepReport](),

	"position.Claim":      holds[position.Claim](),
	"position.HandlerKey": sends[position.HandlerKey](),
	"position.Owned":      holds[position.Owned](),
	"position.Position":   sends[position.Position](),
	"position.Reset":      sends[position.Reset](),
	"position.Store":      holds[position.Store](),

	"position-importer.Position": sends[positionimporter.Position](),
	"position-importer.Report":   holds[positionimporter.Report](),

	"snapshot.Progress":  holds[snapshot.Progress](),
	"snapshot.Retention": holds[snapshot.Retention](),
	"snapshot.Snapshot":  sends[snapshot.Snapshot](),
	"snapshot.Store":     holds[snapshot.Store](),

	"snapshot-importer.Options": holds[snapshotimporter.Options](),
	"snapshot-importer.Report":  holds[snapshotimporter.Report](),
	"config.Config":             holds[config.Config]("Backend", "Region", "Endpoint", "TablePrefix", "Events", "Snapshots", "Positions", "Leases", "Grants", "StreamARN", "DefaultTable"),
	"config.Credentials":        holds[config.Credentials](),
	"dump-s3.Bucket":            holds[dumps3.Bucket](),
	"payload-s3.Bucket":         holds[payloads3.Bucket](),
}
