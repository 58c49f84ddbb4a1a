// SPDX-License-Identifier: Apache-2.0

// Command site builds the documentation as a static site: every Markdown file of docs/, the README and the changelog, with
// a list of pages, a search, and no request to any other site.
//
//	go run ./internal/site -out ../site
//	go run ./internal/site -out ../site -serve 127.0.0.1:8080
//
// The pages can also be read from the folder, without a server. A link to a missing page or heading is an error. Links to other
// files of the repository go to the repository.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("site: ")
	out := flag.String("out", "", "folder for the site; it is created, and files of earlier builds are replaced")
	listen := flag.String("serve", "", "address to serve the site on after it is built")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	root, err := findRoot()
	if err != nil {
		log.Fatal(err)
	}
	pages, err := build(root, *out)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d pages in %s\n", pages, *out)
	if *listen == "" {
		return
	}
	if err := serve(*listen, *out); err != nil {
		log.Fatal(err)
	}
}

// findRoot returns the folder of the repository that contains the current folder.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "docs", "guides")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("docs/guides is not found: start the command in the repository")
		}
		dir = parent
	}
}

// serve ends at an interrupt.
func serve(address, dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	server := &http.Server{Addr: address, Handler: http.FileServer(http.Dir(dir)), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	fmt.Printf("http://%s/\n", address)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	if err := server.Close(); err != nil {
		return err
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
