// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// IsReserved reports whether DynamoDB reserves the word, in any case. A reserved
// word can be an attribute name, but must not stand in expression text by itself.
// Handles and typed conditions always write names as placeholders, so only raw
// expressions and other tools need to ask.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
func IsReserved(word string) bool {
	_, ok := reservedSet()[strings.ToUpper(word)]
	return ok
}

// ReservedIn returns the reserved words that stand in expression text as
// attribute names, in the order and spelling of the text, each spelling once. It
// leaves out placeholders (#name, :value), and operators, clause keywords and
// functions in their role: in "size(tags) > :n AND size = :m" the second size is
// an attribute. The text may be a condition, filter, key condition, projection or
// update. An expression that DynamoDB cannot parse gives some answer, never a panic.
func ReservedIn(expression string) []string { return scanExpression(expression).reserved }

// checkRaw names everything in expression text that DynamoDB would refuse: reserved
// words written as names, placeholders used but not given, given but not used.
func checkRaw(text string, names, values []string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New("raw expression: the text is empty")
	}
	scan := scanExpression(text)
	var errs []error
	for _, w := range scan.reserved {
		errs = append(errs, fmt.Errorf("raw expression: %s is a reserved word; write a placeholder such as #%s and give its name", w, w))
	}
	errs = append(errs, checkPlaceholders("name", "#", scan.names, names)...)
	errs = append(errs, checkPlaceholders("value", ":", scan.values, values)...)
	return errors.Join(errs...)
}

func checkPlaceholders(what, mark string, used, given []string) []error {
	var errs []error
	for _, p := range used {
		if !slices.Contains(given, p) {
			errs = append(errs, fmt.Errorf("raw expression: %s %s is used but not given", what, p))
		}
	}
	for _, p := range slices.Sorted(slices.Values(given)) {
		switch {
		case !strings.HasPrefix(p, mark):
			errs = append(errs, fmt.Errorf("raw expression: the placeholder of %s %q must begin with %s", what, p, mark))
		case !slices.Contains(used, p):
			errs = append(errs, fmt.Errorf("raw expression: %s %s is given but not used", what, p))
		}
	}
	return errs
}

// expressionScan is what a reading of expression text found, each spelling once.
type expressionScan struct {
	reserved, names, values []string
}

// scanExpression goes through the text token by token. A keyword and an attribute
// of the same name are distinguished by what may stand at the place: operators come
// after an operand, clause keywords at the start or after an operand, NOT where an operand begins.
func scanExpression(text string) expressionScan {
	var s expressionScan
	const (
		atStart   = iota // nothing yet: a clause keyword or an operand
		atOperand        // an operand is due
		atEnd            // an operand just ended
		atStep           // a dot was read: the next word is a name
	)
	place := atStart
	for tok, rest := nextToken(text); tok != ""; tok, rest = nextToken(rest) {
		after, _ := nextToken(rest)
		switch {
		case tok[0] == '#':
			s.names = addOnce(s.names, tok)
			place = atEnd
		case tok[0] == ':':
			s.values = addOnce(s.values, tok)
			place = atEnd
		case tok == ".":
			place = atStep
		case tok == ")" || tok == "]" || isDigit(tok[0]):
			place = atEnd
		case !isWord(tok):
			place = atOperand
		case place != atStep && place != atEnd && after == "(": // a function, or NOT before parentheses
			place = atOperand
		case (place == atStart || place == atOperand) && strings.EqualFold(tok, "NOT") && beginsOperand(after):
			place = atOperand
		case place == atEnd && isOperator(tok):
			place = atOperand
		case (place == atStart || place == atEnd) && isClause(tok) && beginsOperand(after):
			place = atOperand
		default:
			if IsReserved(tok) {
				s.reserved = addOnce(s.reserved, tok)
			}
			place = atEnd
		}
	}
	return s
}

func isOperator(word string) bool {
	switch strings.ToUpper(word) {
	case "AND", "OR", "BETWEEN", "IN":
		return true
	}
	return false
}

func isClause(word string) bool {
	switch strings.ToUpper(word) {
	case "SET", "REMOVE", "ADD", "DELETE":
		return true
	}
	return false
}

// beginsOperand reports whether a token can begin an operand: a word or placeholder.
func beginsOperand(tok string) bool {
	return tok != "" && (tok[0] == '#' || tok[0] == ':' || isWord(tok))
}

// nextToken cuts the first token off the text: a word, a number, a placeholder
// with its mark, or a single other character. The token is empty at the end.
func nextToken(text string) (tok, rest string) {
	text = strings.TrimLeftFunc(text, unicode.IsSpace)
	if text == "" {
		return "", ""
	}
	first, n := utf8.DecodeRuneInString(text)
	if first == '#' || first == ':' || isWordRune(first) {
		for n < len(text) {
			r, size := utf8.DecodeRuneInString(text[n:])
			if !isWordRune(r) {
				break
			}
			n += size
		}
	}
	return text[:n], text[n:]
}

func isWord(tok string) bool {
	r, _ := utf8.DecodeRuneInString(tok)
	return isWordRune(r) && !isDigit(tok[0])
}

func isWordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func addOnce(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

var reservedSet = sync.OnceValue(func() map[string]struct{} {
	words := strings.Fields(reservedWords)
	set := make(map[string]struct{}, len(words))
	for _, w := range words {
		set[w] = struct{}{}
	}
	return set
})

// reservedWords is the list of the developer guide, sorted; FLATTERN, INNTER and
// LOGED are spelt so there.
const reservedWords = `
ABORT ABSOLUTE ACTION ADD AFTER AGENT AGGREGATE ALL ALLOCATE ALTER ANALYZE AND ANY
ARCHIVE ARE ARRAY AS ASC ASCII ASENSITIVE ASSERTION ASYMMETRIC AT ATOMIC ATTACH
ATTRIBUTE AUTH AUTHORIZATION AUTHORIZE AUTO AVG BACK BACKUP BASE BATCH BEFORE BEGIN
BETWEEN BIGINT BINARY BIT BLOB BLOCK BOOLEAN BOTH BREADTH BUCKET BULK BY BYTE CALL
CALLED CALLING CAPACITY CASCADE CASCADED CASE CAST CATALOG CHAR CHARACTER CHECK CLASS
CLOB CLOSE CLUSTER CLUSTERED CLUSTERING CLUSTERS COALESCE COLLATE COLLATION COLLECTION
COLUMN COLUMNS COMBINE COMMENT COMMIT COMPACT COMPILE COMPRESS CONDITION CONFLICT
CONNECT CONNECTION CONSISTENCY CONSISTENT CONSTRAINT CONSTRAINTS CONSTRUCTOR CONSUMED
CONTINUE CONVERT COPY CORRESPONDING COUNT COUNTER CREATE CROSS CUBE CURRENT CURSOR
CYCLE DATA DATABASE DATE DATETIME DAY DEALLOCATE DEC DECIMAL DECLARE DEFAULT DEFERRABLE
DEFERRED DEFINE DEFINED DEFINITION DELETE DELIMITED DEPTH DEREF DESC DESCRIBE DESCRIPTOR
DETACH DETERMINISTIC DIAGNOSTICS DIRECTORIES DISABLE DISCONNECT DISTINCT DISTRIBUTE DO
DOMAIN DOUBLE DROP DUMP DURATION DYNAMIC EACH ELEMENT ELSE ELSEIF EMPTY ENABLE END EQUAL
EQUALS ERROR ESCAPE ESCAPED EVAL EVALUATE EXCEEDED EXCEPT EXCEPTION EXCEPTIONS EXCLUSIVE
EXEC EXECUTE EXISTS EXIT EXPLAIN EXPLODE EXPORT EXPRESSION EXTENDED EXTERNAL EXTRACT FAIL
FALSE FAMILY FETCH FIELDS FILE FILTER FILTERING FINAL FINISH FIRST FIXED FLATTERN FLOAT
FOR FORCE FOREIGN FORMAT FORWARD FOUND FREE FROM FULL FUNCTION FUNCTIONS GENERAL GENERATE
GET GLOB GLOBAL GO GOTO GRANT GREATER GROUP GROUPING HANDLER HASH HAVE HAVING HEAP HIDDEN
HOLD HOUR IDENTIFIED IDENTITY IF IGNORE IMMEDIATE IMPORT IN INCLUDING INCLUSIVE INCREMENT
INCREMENTAL INDEX INDEXED INDEXES INDICATOR INFINITE INITIALLY INLINE INNER INNTER INOUT
INPUT INSENSITIVE INSERT INSTEAD INT INTEGER INTERSECT INTERVAL INTO INVALIDATE IS
ISOLATION ITEM ITEMS ITERATE JOIN KEY KEYS LAG LANGUAGE LARGE LAST LATERAL LEAD LEADING
LEAVE LEFT LENGTH LESS LEVEL LIKE LIMIT LIMITED LINES LIST LOAD LOCAL LOCALTIME
LOCALTIMESTAMP LOCATION LOCATOR LOCK LOCKS LOG LOGED LONG LOOP LOWER MAP MATCH MATERIALIZED
MAX MAXLEN MEMBER MERGE METHOD METRICS MIN MINUS MINUTE MISSING MOD MODE MODIFIES MODIFY
MODULE MONTH MULTI MULTISET NAME NAMES NATIONAL NATURAL NCHAR NCLOB NEW NEXT NO NONE NOT
NULL NULLIF NUMBER NUMERIC OBJECT OF OFFLINE OFFSET OLD ON ONLINE ONLY OPAQUE OPEN OPERATOR
OPTION OR ORDER ORDINALITY OTHER OTHERS OUT OUTER OUTPUT OVER OVERLAPS OVERRIDE OWNER PAD
PARALLEL PARAMETER PARAMETERS PARTIAL PARTITION PARTITIONED PARTITIONS PATH PERCENT
PERCENTILE PERMISSION PERMISSIONS PIPE PIPELINED PLAN POOL POSITION PRECISION PREPARE
PRESERVE PRIMARY PRIOR PRIVATE PRIVILEGES PROCEDURE PROCESSED PROJECT PROJECTION PROPERTY
PROVISIONING PUBLIC PUT QUERY QUIT QUORUM RAISE RANDOM RANGE RANK RAW READ READS REAL
REBUILD RECORD RECURSIVE REDUCE REF REFERENCE REFERENCES REFERENCING REGEXP REGION REINDEX
RELATIVE RELEASE REMAINDER RENAME REPEAT REPLACE REQUEST RESET RESIGNAL RESOURCE RESPONSE
RESTORE RESTRICT RESULT RETURN RETURNING RETURNS REVERSE REVOKE RIGHT ROLE ROLES ROLLBACK
ROLLUP ROUTINE ROW ROWS RULE RULES SAMPLE SATISFIES SAVE SAVEPOINT SCAN SCHEMA SCOPE SCROLL
SEARCH SECOND SECTION SEGMENT SEGMENTS SELECT SELF SEMI SENSITIVE SEPARATE SEQUENCE
SERIALIZABLE SESSION SET SETS SHARD SHARE SHARED SHORT SHOW SIGNAL SIMILAR SIZE SKEWED
SMALLINT SNAPSHOT SOME SOURCE SPACE SPACES SPARSE SPECIFIC SPECIFICTYPE SPLIT SQL SQLCODE
SQLERROR SQLEXCEPTION SQLSTATE SQLWARNING START STATE STATIC STATUS STORAGE STORE STORED
STREAM STRING STRUCT STYLE SUB SUBMULTISET SUBPARTITION SUBSTRING SUBTYPE SUM SUPER
SYMMETRIC SYNONYM SYSTEM TABLE TABLESAMPLE TEMP TEMPORARY TERMINATED TEXT THAN THEN
THROUGHPUT TIME TIMESTAMP TIMEZONE TINYINT TO TOKEN TOTAL TOUCH TRAILING TRANSACTION
TRANSFORM TRANSLATE TRANSLATION TREAT TRIGGER TRIM TRUE TRUNCATE TTL TUPLE TYPE UNDER UNDO
UNION UNIQUE UNIT UNKNOWN UNLOGGED UNNEST UNPROCESSED UNSIGNED UNTIL UPDATE UPPER URL USAGE
USE USER USERS USING UUID VACUUM VALUE VALUED VALUES VARCHAR VARIABLE VARIANCE VARINT
VARYING VIEW VIEWS VIRTUAL VOID WAIT WHEN WHENEVER WHERE WHILE WINDOW WITH WITHIN WITHOUT
WORK WRAPPED WRITE YEAR ZONE
`
