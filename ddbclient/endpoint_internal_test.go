// SPDX-License-Identifier: Apache-2.0

package ddbclient

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestEndpointSources(t *testing.T) {
	const (
		forDynamoDB = "http://127.0.0.1:1"
		forAWS      = "http://127.0.0.1:2"
		ours        = "http://127.0.0.1:3"
		option      = "https://example.com"
	)
	for name, tt := range map[string]struct {
		env    map[string]string
		opts   []Option
		want   string
		logged string // the host in the log line, none if empty
	}{
		"nothing":                           {map[string]string{"AWS_REGION": "eu-central-1"}, nil, "", ""},
		"for DynamoDB":                      {map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": forDynamoDB, "AWS_ENDPOINT_URL": forAWS, "DYNAMO_ENDPOINT": ours}, nil, forDynamoDB, "127.0.0.1:1"},
		"for AWS":                           {map[string]string{"AWS_ENDPOINT_URL": forAWS, "DYNAMO_ENDPOINT": ours}, nil, forAWS, "127.0.0.1:2"},
		"ours":                              {map[string]string{"DYNAMO_ENDPOINT": ours}, nil, ours, "127.0.0.1:3"},
		"the variable of tests":             {map[string]string{"DYNAMODB_ENDPOINT": ours}, nil, ours, "127.0.0.1:3"},
		"ours overrides it":                 {map[string]string{"DYNAMO_ENDPOINT": ours, "DYNAMODB_ENDPOINT": forAWS}, nil, ours, "127.0.0.1:3"},
		"the variable for AWS overrides it": {map[string]string{"AWS_ENDPOINT_URL": forAWS, "DYNAMODB_ENDPOINT": ours}, nil, forAWS, "127.0.0.1:2"},
		"LocalStack, of tests":              {map[string]string{"AWS_PROFILE": "localstack", "DYNAMODB_ENDPOINT": ours}, nil, ours, ""},
		"the option":                        {map[string]string{"AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL_DYNAMODB": forDynamoDB, "DYNAMO_ENDPOINT": ours}, []Option{WithEndpoint(option)}, option, ""},
		"LocalStack":                        {map[string]string{"AWS_PROFILE": "localstack"}, nil, "http://127.0.0.1:4566", ""},
		"LocalStack elsewhere":              {map[string]string{"AWS_PROFILE": "localstack", "DYNAMO_ENDPOINT": ours}, nil, ours, ""},
		"LocalStack, own keys":              {map[string]string{"AWS_PROFILE": "localstack", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key"}, nil, "http://127.0.0.1:4566", "127.0.0.1:4566"},
		"a configuration's":                 {nil, []Option{WithConfig(testConfig())}, "http://localhost:1", ""},
		"environment and config":            {map[string]string{"DYNAMO_ENDPOINT": ours}, []Option{WithConfig(aws.Config{})}, ours, "127.0.0.1:3"},
	} {
		t.Run(name, func(t *testing.T) {
			cleanEnv(t)
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			var log bytes.Buffer
			o := mustClient(t, append(tt.opts, WithLogger(slog.New(slog.NewTextHandler(&log, nil))))...).Options()
			if got := aws.ToString(o.BaseEndpoint); got != tt.want {
				t.Errorf("the endpoint is %q, want %q", got, tt.want)
			}
			if o.Region == "" {
				t.Error("there is no Region")
			}
			if tt.logged == "" && log.Len() > 0 || tt.logged != "" && !strings.Contains(log.String(), "host="+tt.logged) {
				t.Errorf("logged %q, want the host %q", log.String(), tt.logged)
			}
		})
	}
}

func TestLocalStackCredentials(t *testing.T) {
	for name, tt := range map[string]struct {
		env, credentials string
		want             string
	}{
		"none":               {"", "", "test"},
		"environment":        {"fromEnv", "", "fromEnv"},
		"profile":            {"", "[localstack]\naws_access_key_id = fromFile\naws_secret_access_key = secret\n", "fromFile"},
		"profile without":    {"", "[localstack]\nregion = eu-west-1\n", "test"},
		"profile of another": {"", "[default]\naws_access_key_id = other\naws_secret_access_key = secret\n", "test"},
	} {
		t.Run(name, func(t *testing.T) {
			cleanEnv(t)
			t.Setenv("AWS_PROFILE", "localstack")
			t.Setenv("AWS_ACCESS_KEY_ID", tt.env)
			t.Setenv("AWS_SECRET_ACCESS_KEY", tt.env)
			if tt.credentials != "" {
				if err := os.WriteFile(os.Getenv("AWS_SHARED_CREDENTIALS_FILE"), []byte(tt.credentials), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got, err := mustClient(t, WithLogger(slog.New(slog.DiscardHandler))).Options().Credentials.Retrieve(t.Context())
			if err != nil || got.AccessKeyID != tt.want {
				t.Errorf("the access key is %q, %v; want %q", got.AccessKeyID, err, tt.want)
			}
		})
	}
}

func TestEndpointChecks(t *testing.T) {
	cleanEnv(t)
	for url, want := range map[string]string{
		"https://dynamodb.eu-central-1.amazonaws.com": "",
		"http://localhost:8000":                       "",
		"http://LOCALHOST.:8000":                      "",
		"http://db.localhost":                         "",
		"http://127.0.0.1":                            "",
		"http://127.8.9.1:80":                         "",
		"http://[::1]:8000":                           "",
		"http://[::ffff:127.0.0.1]:8000":              "",
		"http://dynamodb.example.com":                 "plain http",
		"http://localhost.example.com":                "plain http",
		"http://127.0.0.1.example.com":                "plain http",
		"http://10.0.0.1:8000":                        "plain http",
		"http://0.0.0.0:8000":                         "plain http",
		"localhost:8000":                              "not a URL",
		"ftp://localhost":                             "not a URL",
		"https://":                                    "not a URL",
		"https://user:secret@exa mple.com":            "not a URL",
	} {
		_, err := New(t.Context(), WithRegion("eu-central-1"), WithEndpoint(url))
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", url, err, want)
		case err != nil && strings.Contains(err.Error(), "secret"):
			t.Errorf("%s: the error shows the password: %v", url, err)
		}
	}
	if _, err := New(t.Context(), WithRegion("eu-central-1"), WithEndpoint("http://dynamodb:8000"), WithInsecureHTTP()); err != nil {
		t.Errorf("plain http that is allowed: %v", err)
	}
	t.Setenv("DYNAMO_ENDPOINT", "http://dynamodb.example.com")
	if _, err := New(t.Context(), WithRegion("eu-central-1")); err == nil {
		t.Error("plain http of the environment was accepted")
	}
}

func TestTablePrefixFromEnv(t *testing.T) {
	cleanEnv(t)
	if p := TablePrefixFromEnv(); p != "" {
		t.Errorf("the prefix is %q", p)
	}
	t.Setenv("DYNAMO_TABLE_PREFIX", "dev-")
	if p := TablePrefixFromEnv(); p != "dev-" {
		t.Errorf("the prefix is %q", p)
	}
}
