// Turns proto/mzsr/v1/cluster.proto into what the program needs of it: TypeScript types, and a descriptor as a module,
// so that nothing looks for a .proto file at run time. Does nothing when its output is newer than its input.
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const source = `${root}proto/mzsr/v1/cluster.proto`;
const folder = `${root}packages/shared/src/protocol/generated`;
const descriptor = `${folder}/descriptor.generated.ts`;

const changed = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const newestInput = Math.max(changed(source), changed(fileURLToPath(import.meta.url)));
if (changed(descriptor) > newestInput) process.exit(0);

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const generator = fileURLToPath(
  new URL("bin/proto-loader-gen-types.js", new URL("../", import.meta.resolve("@grpc/proto-loader"))),
);
// These options are the twins of those in src/protocol/proto.ts: they decide what decoded messages look like.
const types = ["--longs=Number", "--enums=String", "--defaults", "--oneofs", "--grpcLib=@grpc/grpc-js"];
const names = ["--targetFileExtension=.generated.ts", "--importFileExtension=.generated.js"];
execFileSync(process.execPath, [
  generator,
  ...types,
  ...names,
  "-I",
  `${root}proto`,
  "-O",
  folder,
  "mzsr/v1/cluster.proto",
]);

const json = JSON.stringify(JSON.stringify(protobuf.loadSync(source).toJSON()));
writeFileSync(
  descriptor,
  `// Original file: proto/mzsr/v1/cluster.proto\n\nexport const descriptorJson =\n  ${json};\n`,
);
