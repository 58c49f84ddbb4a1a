// SPDX-License-Identifier: Apache-2.0

package page

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// export sends the items that a search finds, or the whole table, one {"Item": {...}} on each line, as in the files of an export
// of the service. If the connection breaks, the file is incomplete.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
func (p *Page) export(w http.ResponseWriter, r *http.Request) {
	t, ok := p.describes(w, r)
	if !ok {
		return
	}
	s, problems := readSearch(t, r.URL.Query())
	s.Limit = 0
	operation, request, wrong := s.request(t)
	if problems = append(problems, wrong...); len(problems) > 0 {
		p.fail(w, r, http.StatusBadRequest, problems...)
		return
	}
	reply, err := p.read(r.Context(), operation, request)
	if err != nil {
		p.failCall(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/jsonl; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s.jsonl"`, t.TableName)) // the name of a table contains no quotes
	if r.Method == http.MethodHead {
		return
	}
	out := bufio.NewWriter(w)
	for {
		for _, i := range reply.Items {
			fmt.Fprintf(out, "{\"Item\":%s}\n", i.compact())
		}
		if len(reply.LastEvaluatedKey) == 0 {
			break
		}
		request.ExclusiveStartKey = json.RawMessage(reply.LastEvaluatedKey.compact())
		if reply, err = p.read(r.Context(), operation, request); err != nil {
			panic(http.ErrAbortHandler) // the rest is missing, and the client must notice that
		}
	}
	if out.Flush() != nil {
		panic(http.ErrAbortHandler)
	}
}

// importView is the content of the view of an import.
type importView struct {
	Text    string
	Replace bool
	Done    bool
	Read    int64 // lines with items
	Stored  int64
	Kept    int64 // items that existed already
	Units   float64
}

// mostProblems is the maximum number of lines that a failed import names.
const mostProblems = 50

func (p *Page) showImport(w http.ResponseWriter, r *http.Request) {
	t, ok := p.describes(w, r)
	if !ok || !p.writable(w, r) {
		return
	}
	p.showImportWith(w, r, http.StatusOK, t, &importView{})
}

func (p *Page) showImportWith(w http.ResponseWriter, r *http.Request, status int, t *table, content *importView, problems ...string) {
	if len(problems) > mostProblems {
		problems = append(problems[:mostProblems:mostProblems], fmt.Sprintf("and %s more", grouped(int64(len(problems)-mostProblems))))
	}
	p.show(w, r, status, "import", t.view("-", content, problems...))
}

// line is an item of an import with its line number.
type line struct {
	number int
	item   item
}

// readLines reads the lines of an import, and reports all invalid lines.
func readLines(t *table, text string) (lines []line, problems []string) {
	places := make(map[string]int) // of keys, by their canonical text
	n := 0
	for row := range strings.SplitSeq(text, "\n") {
		n++
		if row = strings.TrimSpace(strings.TrimPrefix(row, "\ufeff")); row == "" {
			continue
		}
		add := func(texts ...string) {
			for _, text := range texts {
				problems = append(problems, fmt.Sprintf("line %d: %s", n, text))
			}
		}
		text, ok := itemText(row)
		if !ok {
			add(`a line is {"Item": {...}} with the item in DynamoDB's JSON`)
			continue
		}
		read, wrong := parseItem(text)
		if len(wrong) == 0 {
			wrong = keyProblems(t, read)
		}
		if len(wrong) > 0 {
			add(wrong...)
			continue
		}
		key := canonicalItem(read.keyOf(t.key()))
		if first, twice := places[key]; twice {
			add(fmt.Sprintf("its key is that of line %d", first))
			continue
		}
		places[key] = n
		lines = append(lines, line{n, read})
	}
	if n > 0 && len(lines) == 0 && len(problems) == 0 {
		problems = append(problems, "there is no item in it")
	}
	return lines, problems
}

// itemText returns the item of a line {"Item": {...}}; ok is false for any other line, such as one with two items.
func itemText(line string) (text string, ok bool) {
	d := json.NewDecoder(strings.NewReader(line))
	begin, _ := d.Token()
	name, _ := d.Token()
	var item json.RawMessage
	if begin != json.Delim('{') || name != "Item" || d.Decode(&item) != nil {
		return "", false
	}
	end, _ := d.Token()
	_, err := d.Token()
	return string(item), end == json.Delim('}') && errors.Is(err, io.EOF)
}

// importItems stores the items of a file or text, after all lines were read and found valid.
func (p *Page) importItems(w http.ResponseWriter, r *http.Request) {
	t, ok := p.describes(w, r)
	if !ok || !p.checkForm(w, r) {
		return
	}
	content := &importView{Text: strings.ReplaceAll(r.PostForm.Get("text"), "\r\n", "\n"), Replace: r.PostForm.Get("replace") != ""}
	text := content.Text
	if file, _, err := r.FormFile("file"); err == nil {
		data, err := io.ReadAll(file)
		if err = cmp.Or(err, file.Close()); err != nil {
			p.showImportWith(w, r, http.StatusBadRequest, t, content, "the file could not be read: "+err.Error())
			return
		}
		if len(data) > 0 && text != "" {
			p.showImportWith(w, r, http.StatusBadRequest, t, content, "there is a file and a text; give one of them")
			return
		}
		text += string(data)
	}
	lines, problems := readLines(t, text)
	if len(problems) > 0 {
		p.showImportWith(w, r, http.StatusBadRequest, t, content, append([]string{"nothing was stored:"}, problems...)...)
		return
	}
	for _, l := range lines {
		request := &writeRequest{TableName: t.TableName, Item: l.item, ReturnConsumedCapacity: "TOTAL"}
		if !content.Replace {
			request = createOf(t, l.item)
		}
		units, err := p.write(r, "PutItem", request)
		content.Read++
		content.Units += units
		switch {
		case isKind(err, "ConditionalCheckFailedException"):
			content.Kept++
		case err != nil:
			problems = append(problems, fmt.Sprintf("line %d: %v", l.number, err))
		default:
			content.Stored++
		}
		if r.Context().Err() != nil {
			return // the client is gone
		}
	}
	content.Done = true
	status := http.StatusOK
	if len(problems) > 0 {
		status = http.StatusBadRequest
	} else {
		content.Text = ""
	}
	p.showImportWith(w, r, status, t, content, problems...)
}
