// Exits 0 when /healthz on the given port of this container answers: images without curl.
const answer = await fetch(`http://127.0.0.1:${process.argv[2]}/healthz`).catch(() => undefined);
process.exit(answer?.ok ? 0 : 1);
