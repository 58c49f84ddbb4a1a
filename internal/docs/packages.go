// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"maps"
	"os/exec"
	"strings"
)

// sdkPackages are those of the AWS SDK that documents may name without importing them.
var sdkPackages = map[string]string{
	"attributevalue":  "github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue",
	"aws":             "github.com/aws/aws-sdk-go-v2/aws",
	"dynamodb":        "github.com/aws/aws-sdk-go-v2/service/dynamodb",
	"dynamodbstreams": "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams",
	"expression":      "github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression",
	"types":           "github.com/aws/aws-sdk-go-v2/service/dynamodb/types",
}

// preferred are packages of the standard library whose name another one has too.
var preferred = map[string]string{
	"rand":     "math/rand/v2",
	"template": "html/template",
	"pprof":    "net/http/pprof",
}

const module = "github.com/dynamotable/ddb"

// packagesByName lists what a document can use without importing it: ours, the SDK's, the standard library's.
func packagesByName(ctx context.Context, root string) (map[string]string, error) {
	list := exec.CommandContext(ctx, "go", "list", "-f", "{{.Name}} {{.ImportPath}}", "std", module+"/...")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	standard, ours := map[string]string{}, map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, imported, _ := strings.Cut(strings.TrimSpace(line), " ")
		elements := "/" + imported + "/"
		switch {
		case name == "main" || strings.Contains(elements, "/internal/") || strings.Contains(elements, "/vendor/"):
		case strings.HasPrefix(elements, "/"+module+"/"):
			ours[name] = imported
		case standard[name] == "":
			standard[name] = imported
		}
	}
	for _, more := range []map[string]string{preferred, sdkPackages, ours} {
		maps.Copy(standard, more)
	}
	return standard, nil
}
