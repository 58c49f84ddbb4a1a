// SPDX-License-Identifier: Apache-2.0

package partiql

import "strings"

// keywords are the words that can be names only in double quotes: those of SQL-92,
// without the parts of a date and the function size, and those of the dialect.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.data-types.html
var keywords = wordSet(`
	absolute action add all allocate alter and any are as asc assertion at authorization avg
	begin between bit bit_length both by
	cascade cascaded case cast catalog char char_length character character_length check close coalesce collate collation
	column commit connect connection constraint constraints continue convert corresponding count create cross current
	current_date current_time current_timestamp current_user cursor
	date deallocate dec decimal declare default deferrable deferred delete desc describe descriptor diagnostics disconnect
	distinct domain double drop
	else end escape except exception exec execute exists external extract
	false fetch first float for foreign found from full
	get global go goto grant group
	having
	identity immediate in indicator initially inner input insensitive insert int integer intersect interval into is isolation
	join
	key
	language last leading left level like limit local lower
	match max min missing module
	names national natural nchar next no not null nullif numeric
	octet_length of offset on only open option or order outer output overlaps
	pad partial pivot position precision prepare preserve primary prior privileges procedure public
	read real references relative remove restrict returning revoke right rollback rows
	schema scroll section select session session_user set smallint some space sql sqlcode sqlerror sqlstate substring sum
	system_user
	table temporary then time timestamp timezone_hour timezone_minute to trailing transaction translate translation trim true
	union unique unknown unpivot update upper usage user using
	value values varchar varying view
	when whenever where with work write
	zone`)

func wordSet(list string) map[string]struct{} {
	set := make(map[string]struct{})
	for w := range strings.FieldsSeq(list) {
		set[w] = struct{}{}
	}
	return set
}

func isKeyword(word string) bool {
	_, ok := keywords[strings.ToLower(word)]
	return ok
}
