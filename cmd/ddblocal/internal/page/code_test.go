// SPDX-License-Identifier: Apache-2.0

package page_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dynamotable/ddb/cmd/ddblocal/internal/page"
	"github.com/dynamotable/ddb/internal/longtest"
)

// TestGo compiles and runs the Go code of many searches: it finds the items that the views show.
func TestGo(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	const few = 3 // number of searches without -long: a query of an index, a scan with filters and a query
	s := newSite(t, page.Options{})
	s.shop()
	s.put("orders", attrs{"customer": str("\"q\"\\`"), "id": str("x"), "raw": bin("\x00\xff"), "total": num("12345678901234567890123456789012345678"), "flag": &boolean{Value: true}, "m": &mapping{Value: attrs{"in": num("1")}}})
	s.create(simpleTable())
	s.put("sessions", attrs{"customer": num("7"), "id": str("only")})

	var want []string
	sources := make(map[string]string)
	for _, params := range [][]string{
		{"t", "orders", "index", "by-place", "p0", "NL", "p1", "Delft", "s0", "1", "op", "<="},
		{"t", "orders", "f0", "status", "fv0", "paid", "f1", "total", "fop1", ">", "ft1", "N", "fv1", "7"},
		{"t", "orders", "p0", "\"q\"\\`"},
		{"t", "orders", "index", "by-total", "p0", "c1", "s0", "60", "op", "<"},
		{"t", "orders"},
		{"t", "orders", "p0", "c1"},
		{"t", "orders", "p0", "c1", "limit", "2", "desc", "1", "consistent", "1"},
		{"t", "orders", "p0", "c1", "limit", "0", "s0", "2026-", "op", "begins_with"},
		{"t", "orders", "p0", "c1", "s0", "2026-2", "op", "between", "to", "2027-1"},
		{"t", "orders", "index", "by-status", "p0", "open", "s0", "30", "op", ">="},
		{"t", "orders", "index", "by-status"},
		{"t", "orders", "index", "by-place", "p0", "NL", "p1", "Delft"},
		{"t", "orders", "index", "by-place", "p0", "NL", "p1", "Delft", "s0", "1", "s1", "100", "op", "between", "to", "2000"},
		{"t", "orders", "index", "by-day", "p0", "1"},
		{"t", "orders", "f0", "total", "ft0", "N", "fv0", "12345678901234567890123456789012345678"},
		{"t", "orders", "f0", "raw", "fop0", "begins_with", "ft0", "B", "fv0", "AP8="},
		{"t", "orders", "f0", "flag", "ft0", "BOOL", "fv0", "true"},
		{"t", "orders", "f0", "m.in", "ft0", "N", "fv0", "1"},
		{"t", "orders", "f0", "city", "fop0", "not contains", "fv0", "elf", "f1", "city", "fop1", "attribute_exists"},
		{"t", "orders", "f0", "total", "fop0", "attribute_type", "fv0", "N", "f1", "city", "ft1", "NULL", "fop1", "<>"},
		{"t", "sessions"},
		{"t", "sessions", "p0", "7"},
	} {
		if !longtest.Enabled() && len(sources) >= few {
			break
		}
		body := s.get(target("tables/"+params[1]+"/items", params[2:]...), 200)
		found := ids(t, body)
		slices.Sort(found)
		want = append(want, fmt.Sprintf("%q: %q", params, found))
		name := fmt.Sprintf("s%d", len(sources))
		code := shown(t, body, "Go")
		items := "found.Items"
		if !strings.Contains(code, "ddb.Page[Item]") {
			items = "[]Item{found}"
		}
		imports := "import (\n\"context\"\n\"fmt\"\n\"slices\"\n"
		if strings.Contains(code, "json.") {
			imports += "\"encoding/json\"\n"
		}
		for _, own := range []string{"multikey", "rawexpr"} {
			if strings.Contains(code, own+".") {
				imports += "\"github.com/dynamotable/ddb/" + own + "\"\n"
			}
		}
		sources[name] = "package " + name + "\n\n" + imports + "\"github.com/dynamotable/ddb\"\n)\n\n" + code + fmt.Sprintf(`
func Run(ctx context.Context, client ddb.Client) (string, error) {
	found, err := find(ctx, client)
	ids := []string{}
	for _, i := range %s {
		ids = append(ids, fmt.Sprint(i.Customer)+" "+ID(i))
	}
	slices.Sort(ids)
	return fmt.Sprintf("%%q", ids), err
}
`, items)
		if strings.Contains(code, "ID ") {
			sources[name] += "func ID(i Item) string { return i.ID }\n"
		} else {
			sources[name] += "func ID(Item) string { return \"only\" }\n"
		}
		sources[name] = strings.Replace(sources[name], "Run(", fmt.Sprintf("Run(/* %s */ ", strings.ReplaceAll(fmt.Sprintf("%q", params), "*/", "")), 1)
	}
	server := httptest.NewServer(s.engine.Handler())
	defer server.Close()
	got := strings.Split(strings.TrimSpace(runGo(t, sources, server.URL)), "\n")
	for i := range want {
		if i >= len(got) || !strings.HasSuffix(want[i], ": "+got[i]) {
			t.Errorf("want %s\ngot %q", want[i], got[min(i, len(got)-1)])
		}
	}
	body := s.get(target("tables/orders/items", "index", "by-place", "p0", "NL", "p1", "Delft", "s0", "1", "s1", "1"), 200)
	s.says(s.get(target("tables/orders/items", "f0", `"a,b"`, "fv0", "x"), 200), `A struct tag cannot name the attribute "a,b"`)
	s.says(body, "multikey.K2(json.Number(\"1\"), json.Number(\"1\"))")
}

// runGo runs a program whose packages are not on disk, with an overlay. The program takes the endpoint as an argument, so that the build
// cache has it in the next run.
//
// https://pkg.go.dev/cmd/go (flag -overlay)
func runGo(t *testing.T, sources map[string]string, endpoint string) string {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	temp, replace := t.TempDir(), make(map[string]string)
	add := func(path, text string) {
		file := filepath.Join(temp, strings.ReplaceAll(path, "/", "-"))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(here, "shown", filepath.FromSlash(path))] = file
	}
	main := "package main\n\nimport (\n\"context\"\n\"fmt\"\n\"os\"\n\"github.com/aws/aws-sdk-go-v2/credentials\"\n\"github.com/aws/aws-sdk-go-v2/service/dynamodb\"\n"
	var calls strings.Builder
	for i := range len(sources) {
		name := fmt.Sprintf("s%d", i)
		add(name+"/"+name+".go", sources[name])
		main += "\"github.com/dynamotable/ddb/cmd/ddblocal/internal/page/shown/" + name + "\"\n"
		fmt.Fprintf(&calls, "show(%s.Run(context.Background(), client))\n", name)
	}
	add("main.go", main+fmt.Sprintf(`)

func main() {
	client := dynamodb.New(dynamodb.Options{Region: "us-east-1", BaseEndpoint: &os.Args[1], Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")})
%s}

func show(ids string, err error) {
	if err != nil {
		ids = fmt.Sprintf("%%q", err.Error())
	}
	fmt.Println(ids)
}
`, &calls))
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(temp, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "-overlay", file, "./shown", endpoint)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &errs)
	}
	return string(out)
}

// TestAWSCLI runs commands that views show with the AWS CLI itself.
func TestAWSCLI(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil || !longtest.Enabled() {
		t.Skip("runs the AWS CLI, with -long and if it is installed")
	}
	s := newSite(t, page.Options{})
	s.shop()
	s.put("orders", attrs{"customer": str("it's \"$HOME\" \\"), "id": str("x"), "raw": bin("\x00\xff")})
	server := httptest.NewServer(s.engine.Handler())
	defer server.Close()
	for _, params := range [][]string{
		{}, {"p0", "c1", "s0", "2026-2", "op", "between", "to", "2027-1"}, {"p0", "it's \"$HOME\" \\"}, {"p0", "c1", "limit", "2", "desc", "1", "consistent", "1"},
		{"index", "by-status", "p0", "open", "s0", "30", "op", ">="}, {"limit", "1", "after", `{"customer":{"S":"c1"},"id":{"S":"2026-1"}}`}, {"f0", "raw", "fop0", "begins_with", "ft0", "B", "fv0", "AP8="},
	} {
		body := s.get(target("tables/orders/items", params...), 200)
		command := strings.Replace(shown(t, body, "AWS CLI"), "http://localhost:8000", server.URL, 1)
		cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
		cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b", "AWS_DEFAULT_REGION=us-east-1", "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true")
		out, err := cmd.CombinedOutput()
		if err != nil && strings.Contains(command, "--cli-binary-format") && strings.Contains(string(out), "Unknown options: --cli-binary-format") {
			continue // version 1, which needs another value
		}
		if err != nil {
			t.Errorf("%v: %s\n%s", err, out, command)
			continue
		}
		var reply struct {
			Items []struct{ Customer, ID struct{ S string } }
		}
		if err := json.Unmarshal(out, &reply); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		var got []string
		for _, i := range reply.Items {
			got = append(got, i.Customer.S+" "+i.ID.S)
		}
		if want := ids(t, body); !slices.Equal(got, want) {
			t.Errorf("%q: the AWS CLI finds %q, the view shows %q", params, got, want)
		}
	}
}
