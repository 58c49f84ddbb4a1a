// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// block is code of a Markdown file.
type block struct {
	file    string
	line    int    // of the first line of the code
	kind    string // the word behind the fence: go, sh, text, ...; none is ""
	code    string
	marks   []string // scope, compile, fails, skip
	skipped string   // why, if it is skipped
	want    *block   // of a go block: the text block that says what it prints
}

func (b block) is(mark string) bool { return slices.Contains(b.marks, mark) }

// problem is something in a document that does not hold.
type problem struct {
	file string
	line int
	text string
}

func (p problem) String() string { return fmt.Sprintf("%s:%d: %s", p.file, p.line, p.text) }

var (
	fence     = regexp.MustCompile("^([ \t]*)(```+)[ \t]*([^ \t`]*)[^`]*$")
	directive = regexp.MustCompile(`^<!--\s*(go|sh):\s*(scope|compile|fails|skip:\s*(\S.*?))\s*-->\s*$`)
	hidden    = regexp.MustCompile(`^<!--\s*go\s*$`)
	// Anything else that looks like one of them is a slip of the pen.
	almost = regexp.MustCompile(`^\s*<!--\s*(go|sh)\b`)
)

// markdown is the reading of one file, line by line.
type markdown struct {
	file     string
	lines    []string
	at       int // index of the next line
	blocks   []block
	problems []problem
	pending  []mark
}

// mark is a directive that waits for its block.
type mark struct {
	line       int
	kind, word string
	reason     string
}

// blocksOf finds the blocks of a Markdown file.
func blocksOf(file, text string) ([]block, []problem) {
	m := markdown{file: file, lines: strings.Split(text, "\n")}
	behind := -1 // index of the line behind the last go block
	for m.at < len(m.lines) {
		line := m.lines[m.at]
		m.at++
		switch parts := fence.FindStringSubmatch(line); {
		case parts != nil:
			start := m.at
			b := m.fenced(parts[1], parts[2], parts[3])
			if b.kind == "text" && behind >= 0 && start-1 <= behind+1 && blank(m.lines[behind:start-1]) {
				m.blocks[len(m.blocks)-1].want = &b
			}
			behind = -1
			if b.kind == "go" {
				behind = m.at
			}
			if b.kind != "text" {
				m.add(b)
			}
		case hidden.MatchString(line):
			m.add(m.comment())
			behind = -1
		case directive.MatchString(line):
			parts := directive.FindStringSubmatch(line)
			word, _, _ := strings.Cut(parts[2], ":")
			m.pending = append(m.pending, mark{m.at, parts[1], word, parts[3]})
		case almost.MatchString(line):
			m.problem(m.at, "no directive that is known: "+strings.TrimSpace(line))
		case !blank([]string{line}):
			m.dropPending()
		}
	}
	m.dropPending()
	return m.blocks, m.problems
}

func blank(lines []string) bool {
	return !slices.ContainsFunc(lines, func(s string) bool { return strings.TrimSpace(s) != "" })
}

func (m *markdown) problem(line int, text string) {
	m.problems = append(m.problems, problem{m.file, line, text})
}

// fenced reads a block behind its first fence.
func (m *markdown) fenced(indent, ticks, kind string) block {
	b := block{file: m.file, line: m.at + 1, kind: kind}
	var code []string
	for m.at < len(m.lines) {
		line := m.lines[m.at]
		m.at++
		if s := strings.TrimSpace(line); strings.HasPrefix(s, ticks) && strings.Trim(s, "`") == "" {
			b.code = strings.Join(code, "\n")
			return b
		}
		code = append(code, strings.TrimPrefix(line, indent))
	}
	m.problem(b.line-1, "the block does not end")
	return b
}

// comment reads a block that is not shown.
func (m *markdown) comment() block {
	b := block{file: m.file, line: m.at + 1, kind: "go"}
	for start := m.at; m.at < len(m.lines); {
		m.at++
		if strings.TrimSpace(m.lines[m.at-1]) == "-->" {
			b.code = strings.Join(m.lines[start:m.at-1], "\n")
			return b
		}
	}
	m.problem(b.line-1, "the comment does not end with a line -->")
	return b
}

// add takes a block and the directives before it.
func (m *markdown) add(b block) {
	kind := b.kind
	if kind == "" {
		kind = "sh"
	}
	for _, p := range m.pending {
		if p.kind != kind || p.kind == "sh" && p.word != "skip" {
			m.problem(p.line, fmt.Sprintf("%s: %s says nothing about the block that follows", p.kind, p.word))
			continue
		}
		b.marks = append(b.marks, p.word)
		if p.word == "skip" {
			b.skipped = p.reason
		}
	}
	m.pending = nil
	m.blocks = append(m.blocks, b)
}

func (m *markdown) dropPending() {
	for _, p := range m.pending {
		m.problem(p.line, fmt.Sprintf("no block follows %s: %s", p.kind, p.word))
	}
	m.pending = nil
}
