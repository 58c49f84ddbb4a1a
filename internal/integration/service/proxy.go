// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// endpoints are where requests go: the Region's two services, or another server.
type endpoints struct {
	region string
	other  *url.URL
}

// of is the URL for a target such as DynamoDBStreams_20120810.GetRecords
// (https://docs.aws.amazon.com/general/latest/gr/ddb.html).
func (e endpoints) of(target string) *url.URL {
	if e.other != nil {
		return e.other
	}
	host := "dynamodb." + e.region + ".amazonaws.com"
	if strings.HasPrefix(target, "DynamoDBStreams_") {
		host = "streams." + host
	}
	return &url.URL{Scheme: "https", Host: host, Path: "/"}
}

// A proxy passes the tests' requests on, signed with the account's credentials.
type proxy struct {
	url         string
	target      endpoints
	settings    settings
	credentials aws.CredentialsProvider
	signer      *v4.Signer
	client      *http.Client
	server      *http.Server
	served      chan error

	mu       sync.Mutex
	requests map[string]int // by operation
	rejected map[string]int // by reason
	spent    float64
}

func newProxy(target endpoints, s settings, credentials aws.CredentialsProvider) *proxy {
	p := &proxy{
		target: target, settings: s, credentials: credentials, signer: v4.NewSigner(),
		// Replies pass as the service wrote them, checksum included.
		client:   &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}, Timeout: time.Minute},
		requests: make(map[string]int), rejected: make(map[string]int), served: make(chan error, 1),
	}
	p.server = &http.Server{Handler: http.HandlerFunc(p.serve), ReadHeaderTimeout: time.Minute}
	return p
}

func (p *proxy) listen(ctx context.Context) error {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.url = "http://" + l.Addr().String()
	go func() { p.served <- p.server.Serve(l) }()
	return nil
}

func (p *proxy) close() error {
	if err := p.server.Close(); err != nil {
		return err
	}
	p.client.CloseIdleConnections()
	if err := <-p.served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// longest is above the largest request that the service takes, 16 MB.
const longest = 20 << 20

func (p *proxy) serve(w http.ResponseWriter, r *http.Request) {
	target := r.Header.Get("X-Amz-Target")
	_, operation, _ := strings.Cut(target, ".")
	body, err := io.ReadAll(io.LimitReader(r.Body, longest))
	if err != nil {
		http.Error(w, "the request ends too early", http.StatusBadRequest)
		return
	}
	if reason := p.admit(operation, body); reason != "" {
		p.count(p.rejected, reason, 0)
		// No SDK repeats this error.
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.WriteHeader(http.StatusBadRequest)
		if refusal, err := json.Marshal(map[string]string{"__type": "com.amazon.coral.service#AccessDeniedException", "message": "the trial refuses this: " + reason}); err == nil {
			_, _ = w.Write(refusal)
		}
		return
	}
	status, header, reply, err := p.send(r.Context(), target, r.Header.Get("Content-Type"), body)
	if err != nil {
		if r.Context().Err() == nil {
			p.count(p.rejected, "no answer of the service", 0)
		}
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	cost := 0.0
	if status == http.StatusOK {
		cost = units(operation, body, reply)
	}
	p.count(p.requests, operation, cost)
	maps.Copy(w.Header(), header)
	w.WriteHeader(status)
	_, _ = w.Write(reply) //nolint:gosec // the service's JSON, for the tests
}

// admit says why a request is not sent.
func (p *proxy) admit(operation string, body []byte) string {
	names, err := named(operation, body)
	if err != nil {
		return err.Error()
	}
	for _, name := range names {
		if !strings.HasPrefix(name, p.settings.prefix) {
			return operation + " of a table without the prefix"
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.spent >= p.settings.units && operation != "DeleteTable" {
		return "the units are spent"
	}
	return ""
}

func (p *proxy) count(in map[string]int, what string, cost float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	in[what]++
	p.spent += cost
}

// send signs a request and sends it once.
func (p *proxy) send(ctx context.Context, target, contentType string, body []byte) (status int, header http.Header, reply []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.target.of(target).String(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	req.Header.Set("X-Amz-Target", target)
	req.Header.Set("Content-Type", contentType)
	credentials, err := p.credentials.Retrieve(ctx)
	if err != nil {
		return 0, nil, nil, fmt.Errorf("credentials: %w", err)
	}
	sum := sha256.Sum256(body)
	if err := p.signer.SignHTTP(ctx, credentials, req, hex.EncodeToString(sum[:]), "dynamodb", p.settings.region, time.Now()); err != nil {
		return 0, nil, nil, err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	reply, err = io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, reply, err
}

// figures are the counts so far.
func (p *proxy) figures() (requests, rejected map[string]int, spent float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.requests), maps.Clone(p.rejected), p.spent
}

// service is a client of the service itself, for what the trial does on its own.
func (p *proxy) service() *dynamodb.Client {
	o := dynamodb.Options{Region: p.settings.region, Credentials: p.credentials, BaseEndpoint: aws.String(p.target.of("").String())}
	return dynamodb.New(o)
}
