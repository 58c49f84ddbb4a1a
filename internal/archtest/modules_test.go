// SPDX-License-Identifier: Apache-2.0

package archtest_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// inherited are the modules that every user of the root package builds. A new line here is a cost for each user, so it requires a
// record in docs/decisions.
var inherited = []string{
	"github.com/aws/aws-sdk-go-v2",
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue",
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression",
	"github.com/aws/aws-sdk-go-v2/internal/configsources",
	"github.com/aws/aws-sdk-go-v2/internal/endpoints/v2",
	"github.com/aws/aws-sdk-go-v2/service/dynamodb",
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams",
	"github.com/aws/aws-sdk-go-v2/service/internal/accept-encoding",
	"github.com/aws/aws-sdk-go-v2/service/internal/endpoint-discovery",
	"github.com/aws/smithy-go",
	"github.com/cenkalti/backoff/v4",
	"github.com/cespare/xxhash/v2",
	"github.com/go-logr/logr",
	"github.com/go-logr/stdr",
	"github.com/google/uuid",
	"go.opentelemetry.io/auto/sdk",
	"go.opentelemetry.io/otel",
	"go.opentelemetry.io/otel/metric",
	"go.opentelemetry.io/otel/trace",
}

// required are the other lines of the root go.mod. They set a minimum version for users, but only those who import the package
// build them.
var required = []string{
	"github.com/aws/aws-sdk-go-v2/config",                         // ddbclient
	"github.com/aws/aws-sdk-go-v2/credentials",                    // ddbclient
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds",               // ddbclient
	"github.com/aws/aws-sdk-go-v2/service/signin",                 // ddbclient
	"github.com/aws/aws-sdk-go-v2/service/sso",                    // ddbclient
	"github.com/aws/aws-sdk-go-v2/service/ssooidc",                // ddbclient
	"github.com/aws/aws-sdk-go-v2/service/sts",                    // ddbclient
	"github.com/aws/aws-sdk-go-v2/internal/v4a",                   // ddbclient
	"github.com/aws/aws-sdk-go-v2/service/internal/presigned-url", // ddbclient
	"github.com/google/go-cmp",                                    // tests
	"github.com/stretchr/testify",                                 // required by goleak's own tests
	"github.com/tidwall/btree",                                    // ddbtest
	"go.opentelemetry.io/otel/log",                                // required by otel
	"go.uber.org/goleak",                                          // tests
	"pgregory.net/rapid",                                          // tests
}

func TestInheritedModules(t *testing.T) {
	t.Parallel()
	out := goCommand(t, "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", modulePath)
	built := slices.Compact(slices.Sorted(slices.Values(strings.Fields(string(out)))))
	if !slices.Contains(built, "github.com/aws/aws-sdk-go-v2/service/dynamodb") {
		t.Fatalf("go list finds no SDK package below the root package: %v", built)
	}
	for _, module := range built {
		if module != modulePath && !slices.Contains(inherited, module) {
			t.Errorf("users of the root package would also build %s", module)
		}
	}
}

// credentialPackages are the parts of the SDK that look for credentials, on disk, in the network and in other programs.
var credentialPackages = []string{"/credentials", "/config", "/feature/ec2/imds", "/service/sso", "/service/ssooidc", "/service/sts", "/service/signin"}

// TestOwnClientBuildsNoCredentialPackages: programs that bring their own client build none of the SDK's credential packages. ddbclient
// builds them, which shows that this test detects them.
func TestOwnClientBuildsNoCredentialPackages(t *testing.T) {
	t.Parallel()
	const sdk = "github.com/aws/aws-sdk-go-v2"
	dirOf := func(pkg string) string { return strings.TrimPrefix(strings.TrimPrefix(pkg, modulePath), "/") }
	pkgs := slices.DeleteFunc(publicPackages(t), func(pkg string) bool { return forTests(dirOf(pkg)) || under(dirOf(pkg), benchmarks) })
	out := goCommand(t, append([]string{"list", "-f", `{{.ImportPath}} {{join .Deps " "}}`}, pkgs...)...)
	for line := range strings.Lines(string(out)) {
		pkg, deps, _ := strings.Cut(line, " ")
		dir := dirOf(pkg)
		var built []string
		for dep := range strings.FieldsSeq(deps) {
			rest, ok := strings.CutPrefix(dep, sdk)
			if ok && slices.ContainsFunc(credentialPackages, func(c string) bool { return rest == c || strings.HasPrefix(rest, c+"/") }) {
				built = append(built, dep)
			}
		}
		if own := slices.Contains(clientPackages, dir); own != (len(built) > 0) {
			t.Errorf("package %s builds %d credential packages: %q", pkg, len(built), built)
		}
	}
}

func TestRequiredModules(t *testing.T) {
	t.Parallel()
	var mod struct{ Require []struct{ Path string } }
	if err := json.Unmarshal(goCommand(t, "mod", "edit", "-json"), &mod); err != nil {
		t.Fatal(err)
	}
	for _, r := range mod.Require {
		if !slices.Contains(inherited, r.Path) && !slices.Contains(required, r.Path) {
			t.Errorf("go.mod requires another module, %s, which raises versions for users", r.Path)
		}
	}
}

// outsideWorkspace are the modules whose dependencies must not affect the versions that a workspace shares.
var outsideWorkspace = []string{"bench", "internal/pkgsite", "internal/tools"}

// TestWorkspace: every command printed in the documents runs from a fresh clone, so every module is in go.work.
func TestWorkspace(t *testing.T) {
	t.Parallel()
	modules, err := nestedModules()
	if err != nil {
		t.Fatal(err)
	}
	var work struct{ Use []struct{ DiskPath string } }
	if err := json.Unmarshal(goCommand(t, "work", "edit", "-json", "go.work"), &work); err != nil {
		t.Fatal(err)
	}
	var used []string
	for _, use := range work.Use {
		used = append(used, path.Clean(use.DiskPath))
	}
	for _, module := range append(modules, ".") {
		inside, excluded := slices.Contains(used, module), slices.Contains(outsideWorkspace, module)
		if inside == excluded {
			t.Errorf("module %s: in go.work is %v, want %v", module, inside, !excluded)
		}
	}
}

// goCommand runs go in the root module, as in a user's build: without the workspace.
func goCommand(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root
	cmd.Env = append(cmd.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// TestModuleLists: every list of modules is complete.
func TestModuleLists(t *testing.T) {
	t.Parallel()
	modules, err := nestedModules()
	if err != nil {
		t.Fatal(err)
	}
	updates, err := os.ReadFile(filepath.Join(root, ".github", "dependabot.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range modules {
		if !strings.Contains(string(updates), `"/`+module+`"`) {
			t.Errorf(".github/dependabot.yml lacks the module %s", module)
		}
	}
}
