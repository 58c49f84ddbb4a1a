"use strict";
// The texts of values. The server renders the first page by the same rules, in format.go; testdata/formats.json holds for both.
const format = (() => {
	const trimmed = (x, decimals) => Math.floor(x * 10 ** decimals + 0.5) / 10 ** decimals;
	const withCommas = (digits) => {
		const [whole, rest] = String(digits).split(".");
		return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (rest === undefined ? "" : "." + rest);
	};
	const milli = (x) => {
		const decimals = x >= 100 ? 0 : x >= 10 ? 1 : 2;
		return withCommas(trimmed(x, decimals).toFixed(decimals));
	};
	const duration = (seconds) => {
		if (seconds < 60) return seconds + " s";
		if (seconds < 3600) return Math.floor(seconds / 60) + " min";
		if (seconds < 172800) return Math.floor(seconds / 3600) + " h";
		return Math.floor(seconds / 86400) + " d";
	};
	const ago = (text, now) => duration(Math.max(0, Math.floor((now - Date.parse(text)) / 1000))) + " ago";
	const shown = (kind, value, now) => {
		if (value === null || value === undefined) return "";
		switch (kind) {
		case "count": return withCommas(trimmed(value, 0));
		case "limit": return value === 0 ? "" : withCommas(trimmed(value, 1));
		case "money": return value >= 1 ? withCommas(trimmed(value, 2).toFixed(2)) : trimmed(value, 4).toFixed(4);
		case "seconds": return value === 0 ? "" : duration(Math.ceil(value));
		case "units": return withCommas(trimmed(value, 1));
		case "ms": return milli(value);
		case "share": return trimmed(100 * value, 1) + " %";
		case "ago": return ago(value, now);
		case "list": return value.join(", ");
		case "within": return value ? "within" : "outside";
		case "range": {
			const least = shown("units", value.min), most = shown("units", value.max);
			return least === most ? least : least + " \u2013 " + most;
		}
		}
		return String(value);
	};
	return { trimmed, withCommas, milli, shown };
})();
