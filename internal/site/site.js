// SPDX-License-Identifier: Apache-2.0
"use strict";

const query = document.getElementById("query");
const results = document.getElementById("results");
const count = document.getElementById("count");
const up = document.body.dataset.up;
const limit = 12;
let selected = -1;

// On a narrow screen the list of pages is closed at first.
if (matchMedia("(max-width: 860px)").matches) {
	document.querySelector(".pages").open = false;
}

const folded = window.pages.map(p => ({
	page: p.p.toLowerCase(), title: p.t.toLowerCase(), text: p.x.toLowerCase(), entry: p,
}));

// score is how well a part of a page matches all words; 0 if one is missing.
function score(part, words) {
	let sum = 0;
	for (const word of words) {
		const title = part.title.indexOf(word);
		const page = part.page.indexOf(word);
		const times = part.text.split(word).length - 1;
		if (title < 0 && page < 0 && times === 0) {
			return 0;
		}
		sum += (title >= 0 ? 20 : 0) + (title === 0 ? 10 : 0) + (page >= 0 ? 6 : 0) + Math.min(times, 5);
	}
	const phrase = words.join(" ");
	// Who searches wants to know how to do something; what has changed, and why, comes after that.
	const weight = part.entry.u.startsWith("guides/") ? 1.2 : /^(changelog|decisions)/.test(part.entry.u) ? 0.4 : 1;
	return weight * (sum + (part.title.includes(phrase) ? 30 : 0) + (part.text.includes(phrase) ? 8 : 0));
}

// marked adds text to a node, with the words in marks.
function marked(node, text, words) {
	const lower = text.toLowerCase();
	for (let at = 0; at < text.length;) {
		let next = text.length, found = "";
		for (const word of words) {
			const i = lower.indexOf(word, at);
			if (i >= 0 && i < next) {
				next = i;
				found = word;
			}
		}
		node.append(text.slice(at, next));
		if (found === "") {
			return;
		}
		const mark = document.createElement("mark");
		mark.textContent = text.slice(next, next + found.length);
		node.append(mark);
		at = next + found.length;
	}
}

function excerpt(text, words) {
	const lower = text.toLowerCase();
	const first = Math.min(...words.map(w => lower.indexOf(w)).filter(i => i >= 0), text.length);
	const start = first < text.length ? Math.max(0, first - 40) : 0;
	return (start > 0 ? "… " : "") + text.slice(start, start + 140) + (start + 140 < text.length ? " …" : "");
}

function search() {
	const words = query.value.toLowerCase().split(/\s+/).filter(w => w !== "");
	const hits = words.length === 0 ? [] : folded.map(part => ({ part, value: score(part, words) }))
		.filter(h => h.value > 0).sort((a, b) => b.value - a.value);
	results.replaceChildren(...hits.slice(0, limit).map(({ part }, i) => {
		const item = document.createElement("li");
		item.id = "result-" + i;
		item.role = "option";
		const link = document.createElement("a");
		link.href = up + part.entry.u;
		link.tabIndex = -1;
		const title = document.createElement("b");
		marked(title, part.entry.t === part.entry.p ? part.entry.p : part.entry.p + " › " + part.entry.t, words);
		const text = document.createElement("span");
		marked(text, excerpt(part.entry.x, words), words);
		link.append(title, text);
		item.append(link);
		return item;
	}));
	results.hidden = hits.length === 0;
	query.setAttribute("aria-expanded", String(hits.length > 0));
	count.textContent = words.length === 0 ? "" : hits.length + " results";
	select(hits.length > 0 ? 0 : -1);
}

function select(i) {
	selected = i;
	[...results.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === i)));
	if (i >= 0) {
		query.setAttribute("aria-activedescendant", "result-" + i);
		results.children[i].scrollIntoView({ block: "nearest" });
	} else {
		query.removeAttribute("aria-activedescendant");
	}
}

function close() {
	results.hidden = true;
	query.setAttribute("aria-expanded", "false");
}

query.disabled = false;
query.addEventListener("input", search);
query.addEventListener("focus", () => { if (query.value !== "") { search(); } });
query.addEventListener("keydown", event => {
	const n = results.children.length;
	if (event.key === "ArrowDown" && n > 0) {
		select((selected + 1) % n);
	} else if (event.key === "ArrowUp" && n > 0) {
		select((selected + n - 1) % n);
	} else if (event.key === "Enter" && selected >= 0 && !results.hidden) {
		const link = results.children[selected].querySelector("a").href;
		close();
		location.href = link;
	} else if (event.key === "Escape") {
		close();
	} else {
		return;
	}
	event.preventDefault();
});
document.addEventListener("keydown", event => {
	if (event.key === "/" && document.activeElement !== query && !event.ctrlKey && !event.metaKey && !event.altKey) {
		event.preventDefault();
		query.focus();
	}
});
document.addEventListener("click", event => {
	if (!event.target.closest("search")) {
		close();
	}
});
