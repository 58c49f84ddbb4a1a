"use strict";
(() => {
	const period = 2000, maxRows = 100;
	const $ = (id) => document.getElementById(id);
	const root = document.documentElement;
	let snapshot = null, paused = false, timer = 0, groupedBy = "";

	// Formats: the server renders the first page by the same rules.
	const trimmed = (x, decimals) => Math.floor(x * 10 ** decimals + 0.5) / 10 ** decimals;
	const grouped = (digits) => {
		const [whole, rest] = String(digits).split(".");
		return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest === undefined ? "" : "." + rest);
	};
	const milli = (x) => {
		const decimals = x >= 100 ? 0 : x >= 10 ? 1 : 2;
		return grouped(trimmed(x, decimals).toFixed(decimals));
	};
	const ago = (text) => {
		const seconds = Math.max(0, Math.floor((Date.parse(snapshot.time) - Date.parse(text)) / 1000));
		if (seconds < 60) return seconds + " s ago";
		if (seconds < 3600) return Math.floor(seconds / 60) + " min ago";
		if (seconds < 172800) return Math.floor(seconds / 3600) + " h ago";
		return Math.floor(seconds / 86400) + " d ago";
	};
	const shown = (kind, value) => {
		if (value === null || value === undefined) return "";
		switch (kind) {
		case "count": return grouped(trimmed(value, 0));
		case "units": return grouped(trimmed(value, 1));
		case "ms": return milli(value);
		case "share": return trimmed(100 * value, 1) + " %";
		case "ago": return ago(value);
		case "list": return value.join(", ");
		case "within": return value ? "within" : "outside";
		case "range": {
			const least = shown("units", value.min), most = shown("units", value.max);
			return least === most ? least : least + " \u2013 " + most;
		}
		}
		return String(value);
	};
	const set = (node, text) => { if (node.textContent !== text) node.textContent = text; };
	const make = (tag, className, text) => {
		const node = document.createElement(tag);
		if (className) node.className = className;
		if (text) node.textContent = text;
		return node;
	};
	const draw = (tag, attributes) => {
		const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
		for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
		return node;
	};

	// Tables: one view for each, which keeps the rows that stay, so that focus and open explanations stay as well.
	const textual = (kind) => kind === "text" || kind === "code" || kind === "list" || kind === "within";
	const comparable = (kind, value) => {
		if (kind === "range") return value.max;
		if (kind === "ago") return Date.parse(value);
		if (kind === "list") return (value || []).join(", ");
		return value === null || value === undefined ? "" : value;
	};
	const compare = (a, b) => {
		if (typeof a === "number" && typeof b === "number") return a - b;
		return String(a).localeCompare(String(b), "en");
	};

	function tableView(table) {
		const heads = [...table.tHead.rows[0].cells];
		const columns = heads.map((th) => ({ key: th.dataset.key, kind: th.dataset.kind, numeric: th.classList.contains("num") }));
		const explains = "explains" in table.dataset;
		const body = table.tBodies[0];
		const more = table.closest("section").querySelector(".more");
		const start = heads.findIndex((th) => th.hasAttribute("aria-sort"));
		let sort = { column: start, descending: true };
		let known = new Map();
		body.replaceChildren();

		heads.forEach((th, i) => {
			const button = make("button", "", th.textContent);
			button.type = "button";
			th.replaceChildren(button);
			button.addEventListener("click", () => {
				// Numbers are asked for from the top, names from A.
				const descending = sort.column === i ? !sort.descending : !textual(columns[i].kind);
				sort = { column: i, descending };
				heads.forEach((other, j) => {
					if (j === i) other.setAttribute("aria-sort", descending ? "descending" : "ascending");
					else other.removeAttribute("aria-sort");
				});
				render();
			});
		});

		const identity = (row) => (row.id !== undefined ? String(row.id) : JSON.stringify(columns.filter((c) => c.kind === "text" || c.kind === "code" || c.key === "seconds").map((c) => row[c.key])));

		function newRow() {
			const tr = make("tr");
			columns.forEach((c, i) => {
				const cell = make(i === 0 ? "th" : "td", (i === 0 ? "" : c.kind) + (c.numeric ? " num" : ""));
				if (i === 0) cell.scope = "row";
				if (c.kind === "share") {
					const bar = draw("svg", { class: "bar", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" });
					bar.append(draw("rect", { width: 100, height: 6, class: "rail" }), draw("rect", { width: 0, height: 6 }));
					cell.append(bar, document.createTextNode(""));
				}
				tr.append(cell);
			});
			if (!explains) return { tr };
			const extra = make("tr", "explain"), cell = make("td"), details = make("details"), pre = make("pre");
			cell.colSpan = columns.length;
			details.append(make("summary", "", "Explanation"), pre);
			cell.append(details);
			extra.append(cell);
			return { tr, extra, pre };
		}

		function fill(parts, row) {
			columns.forEach((c, i) => {
				const cell = parts.tr.cells[i], text = shown(c.kind, row[c.key]);
				if (c.kind === "share") {
					cell.firstChild.lastChild.setAttribute("width", trimmed(100 * row[c.key], 1));
					if (cell.lastChild.data !== text) cell.lastChild.data = text;
					return;
				}
				set(cell, text);
				cell.toggleAttribute("data-bad", c.kind === "within" && row[c.key] === false);
			});
			if (parts.pre) set(parts.pre, row.explain);
		}

		function render() {
			let rows = snapshot[table.id];
			if (table.id === "units") rows = sums(rows);
			if (sort.column >= 0) {
				const { key, kind } = columns[sort.column], sign = sort.descending ? -1 : 1;
				rows = rows.map((row) => [comparable(kind, row[key]), row]).sort((a, b) => sign * compare(a[0], b[0])).map((pair) => pair[1]);
			}
			const next = new Map(), order = [];
			for (const row of rows.slice(0, maxRows)) {
				const id = identity(row), parts = known.get(id) || newRow();
				fill(parts, row);
				next.set(id, parts);
				order.push(parts.tr);
				if (parts.extra) order.push(parts.extra);
			}
			if (order.length === 0) {
				const tr = make("tr", "none"), cell = make("td", "", "None so far.");
				cell.colSpan = columns.length;
				tr.append(cell);
				order.push(tr);
			}
			for (const tr of [...body.rows]) if (!order.includes(tr)) tr.remove();
			order.forEach((tr, i) => { if (body.rows[i] !== tr) body.insertBefore(tr, body.rows[i] || null); });
			known = next;
			more.hidden = rows.length <= maxRows;
			set(more, maxRows + " of " + grouped(rows.length) + " rows; all are in the JSON.");
		}
		return render;
	}

	// Units can be summed up by one of the names that they are counted by.
	const groupings = { "": "All", table: "Table", index: "Index", operation: "Operation", label: "Label" };

	function sums(rows) {
		if (!groupedBy) return rows;
		const keep = groupedBy === "index" ? ["table", "index"] : [groupedBy], all = new Map();
		for (const row of rows) {
			const id = JSON.stringify(keep.map((key) => row[key]));
			let sum = all.get(id);
			if (!sum) {
				sum = { table: "all", index: "all", operation: "all", label: "all", operations: 0, readUnits: 0, writeUnits: 0, units: 0, share: 0 };
				for (const key of keep) sum[key] = row[key];
				all.set(id, sum);
			}
			for (const key of ["operations", "readUnits", "writeUnits", "units", "share"]) sum[key] += row[key];
		}
		return [...all.values()];
	}

	function groupButtons(render) {
		const group = $("groups");
		for (const [by, title] of Object.entries(groupings)) {
			const button = make("button", "", title);
			button.type = "button";
			button.setAttribute("aria-pressed", String(by === groupedBy));
			button.addEventListener("click", () => {
				groupedBy = by;
				for (const other of group.children) other.setAttribute("aria-pressed", String(other === button));
				render();
			});
			group.append(button);
		}
		group.hidden = false;
	}

	// Charts: lines over the last five minutes, and the values under the pointer.
	const niceTop = (most) => {
		if (most <= 0) return 1;
		const power = 10 ** Math.floor(Math.log10(most));
		return [1, 2, 5, 10].map((f) => f * power).find((top) => top >= most);
	};

	function chartView(box) {
		const keys = box.dataset.chart.split(" "), legend = [...box.querySelectorAll("li b")];
		const svg = draw("svg", { role: "img" });
		let pointed = -1;
		box.append(svg);
		const left = 44, right = 4, top = 8, bottom = 22, height = 170;

		function render() {
			const width = box.clientWidth - 36, rates = snapshot.rates, n = rates[keys[0]].length;
			if (width <= 0) return;
			const most = niceTop(Math.max(...keys.flatMap((key) => rates[key])));
			const x = (i) => left + ((width - left - right) * i) / (n - 1);
			const y = (value) => top + (height - top - bottom) * (1 - value / most);
			const nodes = [];
			for (const part of [0, 0.5, 1]) {
				nodes.push(draw("line", { class: "grid", x1: left, x2: width - right, y1: y(part * most), y2: y(part * most) }));
				const label = draw("text", { x: left - 8, y: y(part * most) + 4, "text-anchor": "end" });
				label.textContent = grouped(trimmed(part * most, 2));
				nodes.push(label);
			}
			for (let minute = 5; minute >= 0; minute--) {
				const label = draw("text", { x: x(n - 1 - (minute * (n - 1)) / 5), y: height - 5, "text-anchor": minute === 5 ? "start" : minute === 0 ? "end" : "middle" });
				label.textContent = minute === 0 ? "now" : "\u2212" + minute + " min";
				nodes.push(label);
			}
			keys.forEach((key, k) => {
				const line = rates[key].map((value, i) => (i ? "L" : "M") + x(i).toFixed(1) + " " + y(value).toFixed(1)).join("");
				const series = draw("g", { class: "series " + "abc"[k] });
				if (k < 2) series.append(draw("path", { class: "area", d: line + "L" + x(n - 1) + " " + y(0) + "L" + x(0) + " " + y(0) + "Z" }));
				series.append(draw("path", { d: line }));
				nodes.push(series);
			});
			if (pointed >= 0) nodes.push(draw("line", { class: "cursor", x1: x(pointed), x2: x(pointed), y1: top, y2: height - bottom }));
			svg.setAttribute("viewBox", "0 0 " + width + " " + height);
			svg.replaceChildren(...nodes);
			const at = pointed >= 0 ? pointed : n - 1;
			keys.forEach((key, k) => set(legend[k], grouped(trimmed(rates[key][at], 1))));
			svg.setAttribute("aria-label", box.querySelector("h2").textContent + " over five minutes: " + keys.map((key, k) =>
				legend[k].parentNode.firstChild.data.trim() + " " + grouped(trimmed(rates[key][n - 1], 1)) + " now, " + grouped(trimmed(Math.max(...rates[key]), 1)) + " at most").join("; "));
		}
		svg.addEventListener("pointermove", (event) => {
			if (!snapshot) return;
			const area = svg.getBoundingClientRect(), n = snapshot.rates[keys[0]].length;
			pointed = Math.min(n - 1, Math.max(0, Math.round(((event.clientX - area.left - left) / (area.width - left - right)) * (n - 1))));
			render();
		});
		svg.addEventListener("pointerleave", () => { pointed = -1; render(); });
		new ResizeObserver(() => { if (snapshot) render(); }).observe(box);
		return render;
	}

	// Following the program.
	const status = (state, text) => {
		$("status").dataset.state = state;
		set($("status"), text);
	};
	let renderings = null;

	function show() {
		if (!renderings) { // the server's tables stand until there is something to take their place
			const tables = [...document.querySelectorAll("main table")].map(tableView);
			$("charts").hidden = false;
			renderings = [...tables, ...[...document.querySelectorAll("figure[data-chart]")].map(chartView)];
			groupButtons(tables[0]);
		}
		for (const node of document.querySelectorAll("[data-path]")) {
			set(node, shown(node.dataset.kind, node.dataset.path.split(".").reduce((at, step) => at && at[step], snapshot)));
		}
		for (const render of renderings) render();
		root.dataset.at = snapshot.time;
	}

	async function poll() {
		clearTimeout(timer);
		if (paused || document.hidden) return;
		try {
			const reply = await fetch(location.pathname + "?format=json", { headers: { Accept: "application/json" }, cache: "no-store" });
			if (!reply.ok) throw new Error("status " + reply.status);
			const news = await reply.json();
			if (paused) return;
			snapshot = news;
			show();
			status("live", "Live, every 2 s");
		} catch (error) {
			status("lost", "No figures (" + error.message + "); asking again");
		}
		clearTimeout(timer);
		if (!paused) timer = setTimeout(poll, period);
	}

	const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
	const markTheme = () => $("theme").setAttribute("aria-pressed", String(isDark()));
	const actions = {
		p: () => {
			paused = !paused;
			$("pause").setAttribute("aria-pressed", String(paused));
			if (paused) status("paused", "Paused");
			else poll();
		},
		t: () => {
			root.dataset.theme = isDark() ? "light" : "dark";
			try { localStorage.setItem("ddb-theme", root.dataset.theme); } catch { /* it lasts for this page */ }
			markTheme();
		},
	};
	try {
		const kept = localStorage.getItem("ddb-theme");
		if (kept === "light" || kept === "dark") root.dataset.theme = kept;
	} catch { /* without storage the system decides */ }
	$("pause").hidden = $("theme").hidden = false;
	$("pause").addEventListener("click", actions.p);
	$("theme").addEventListener("click", actions.t);
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", markTheme);
	document.addEventListener("keydown", (event) => {
		if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.target.closest("input, textarea, select")) return;
		if (actions[event.key]) actions[event.key]();
	});
	document.addEventListener("visibilitychange", poll);
	markTheme();
	poll();
})();
