// Derives aws.schema.json: the schema of the AWS provider's resource types that our modules use, in the format of
// `terraform providers schema -json`.
//
// The source is the code that @cdktn/provider-aws generates from the provider's own schema. It tells of each argument its
// type, whether it is required, whether it is a block, and how many of it there may be; and of each attribute that only AWS sets
// its type. It does not tell which optional arguments AWS fills in when they are left out, so all of them count as such.
//
// usage: node derive.mjs PACKAGE TYPE... >aws.schema.json, with TYPE such as aws_s3_bucket or data.aws_region (make-schema does it)

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const [folder, ...types] = process.argv.slice(2);
const lib = join(folder, 'lib');

// Where each type is: folders are named after types, but not always in one way.
const sources = new Map();
for (const entry of readdirSync(lib, { withFileTypes: true })) {
  if (!entry.isDirectory()) continue;
  const text = readFileSync(join(lib, entry.name, 'index.js'), 'utf8');
  const type = text.match(/\.tfResourceType = "(\w+)"/)?.[1];
  if (type) sources.set((text.includes('extends cdktn.TerraformDataSource') ? 'data.' : '') + type, text);
}

const SCALARS = { string: 'string', number: 'number', boolean: 'bool' };
const ELEMENTS = { stringList: 'string', numberList: 'number', stringMap: 'string', numberMap: 'number', booleanMap: 'bool' };
const GETTERS = [
  [/^cdktn\.Fn\.tolist\(this\.getListAttribute\(/, ['set', 'string']],
  [/^cdktn\.Token\.asNumberList\(cdktn\.Fn\.tolist\(/, ['set', 'number']],
  [/^this\.getListAttribute\(/, ['list', 'string']],
  [/^this\.getNumberListAttribute\(/, ['list', 'number']],
  [/^this\.getStringMapAttribute\(|^this\._\w+;.*StringMap/, ['map', 'string']],
  [/^this\.getStringAttribute\(/, 'string'],
  [/^this\.getNumberAttribute\(/, 'number'],
  [/^this\.getBooleanAttribute\(/, 'bool'],
];

// The classes of a file, by name.
function classesOf(text) {
  const classes = new Map();
  for (const part of text.split(/^class /m).slice(1)) {
    classes.set(part.match(/^\w+/)[0], part.split(/^}/m)[0]);
  }
  return classes;
}

// The arguments that a function or class hands to HCL: name, how it reaches it, shape.
function argumentsOf(code) {
  const pattern =
    /^ +(\w+): \{\s+value: (.*),\s+isBlock: (true|false),\s+type: "(\w+)",\s+storageClassType: "(\w+)",\s+\},?$/gm;
  return [...code.matchAll(pattern)].map(([, name, value, isBlock, shape, storage]) => ({
    name, value, isBlock: isBlock === 'true', shape, storage,
    property: value.match(/(?:this\._|struct\.)(\w+)/)?.[1],
  }));
}

function typeOfArgument({ name, shape, storage }) {
  if (SCALARS[storage]) return SCALARS[storage];
  if (ELEMENTS[storage]) return [shape === 'simple' ? 'list' : shape, ELEMENTS[storage]];
  throw new Error(`${name}: neither a block nor a known type: ${shape} of ${storage}`);
}

const upper = (name) => name[0].toUpperCase() + name.slice(1);

// What only AWS sets: `// arn - computed: true, optional: false, required: false`, and then how it is read.
function computedOf(code, classes) {
  const attributes = {};
  const note = /\/\/ (\w+) - computed: true, optional: false, required: false\s+(?:get \w+\(\) \{\s+return (.*)\s+\}|this\._\w+ = new (.*);)/g;
  for (const [, name, getter, made] of code.matchAll(note)) {
    attributes[name] = { type: getter ? typeOfGetter(name, getter) : typeOfMade(name, made, classes), computed: true };
  }
  return attributes;
}

function typeOfGetter(name, getter) {
  const known = GETTERS.find(([pattern]) => pattern.test(getter));
  if (!known) throw new Error(`${name}: an unknown getter: ${getter}`);
  return known[1];
}

function typeOfMade(name, made, classes) {
  const [, kind, isSet] = made.match(/^([\w.]+)\(this, "\w+"(?:, (true|false))?\)$/) ?? [];
  if (kind === 'cdktn.StringMap') return ['map', 'string'];
  if (kind === 'cdktn.NumberMap') return ['map', 'number'];
  if (kind === 'cdktn.BooleanMap') return ['map', 'bool'];
  const element = classes.get(kind?.replace(/List$/, 'OutputReference'));
  if (!element) throw new Error(`${name}: an unknown class: ${made}`);
  const members = Object.entries(computedOf(element, classes)).map(([member, { type }]) => [member, type]);
  return [isSet === 'true' ? 'set' : 'list', ['object', Object.fromEntries(members)]];
}

// The schema of a block: `hcl` lists its arguments, `reader` is the class that reads it back.
function blockOf(hcl, reader, text, classes) {
  const attributes = computedOf(reader, classes);
  const blockTypes = {};
  for (const argument of argumentsOf(hcl)) {
    const required = !reader.includes(`reset${upper(argument.property)}(`);
    if (!argument.isBlock) {
      const mode = required ? { required: true } : { optional: true, computed: true };
      if (argument.name.endsWith('_wo')) Object.assign(mode, { computed: false, write_only: true, sensitive: true });
      attributes[argument.name] = { type: typeOfArgument(argument), ...mode };
      continue;
    }
    blockTypes[argument.name] = nestedOf(argument, required, reader, text, classes);
  }
  return { attributes, block_types: blockTypes };
}

function nestedOf({ name, value, shape, storage }, required, reader, text, classes) {
  const mapper = value.match(/(\w+)ToHclTerraform/)[1];
  const hcl = text.split(`\nfunction ${mapper}ToHclTerraform(`)[1].split(/^}/m)[0];
  const block = blockOf(hcl, classes.get(storage.replace(/List$/, '') + 'OutputReference'), text, classes);
  if (shape === 'struct') return { nesting_mode: 'single', block };
  const single = new RegExp(`new \\w+OutputReference\\(this, "${name}"`).test(reader);
  return { nesting_mode: shape, block, ...(required && { min_items: 1 }), ...(single && { max_items: 1 }) };
}

function schemaOf(type) {
  const text = sources.get(type);
  if (!text) throw new Error(`${type}: not in the package`);
  const classes = classesOf(text);
  const main = [...classes.values()].find((code) => / extends cdktn\.Terraform(Resource|DataSource) /.test(code));
  return { version: 0, block: blockOf(main.split('synthesizeHclAttributes')[1], main, text, classes) };
}

// The package has no ephemeral resources: these two are written by hand, and nothing here compares them with the provider.
const optional = (type) => ({ type, optional: true, computed: true });
const EPHEMERAL = {
  aws_secretsmanager_random_password: {
    ...Object.fromEntries(['exclude_lowercase', 'exclude_numbers', 'exclude_punctuation', 'exclude_uppercase', 'include_space', 'require_each_included_type']
      .map((name) => [name, optional('bool')])),
    exclude_characters: optional('string'),
    password_length: optional('number'),
    region: optional('string'),
    random_password: { type: 'string', computed: true, sensitive: true },
  },
  aws_secretsmanager_secret_version: {
    secret_id: { type: 'string', required: true },
    ...Object.fromEntries(['version_id', 'version_stage', 'region'].map((name) => [name, optional('string')])),
    arn: { type: 'string', computed: true },
    created_date: { type: 'string', computed: true },
    secret_binary: { type: 'string', computed: true, sensitive: true },
    secret_string: { type: 'string', computed: true, sensitive: true },
    version_stages: { type: ['list', 'string'], computed: true },
  },
};

const provider = {
  attributes: {
    ...Object.fromEntries(['region', 'profile', 'access_key', 'secret_key', 'token'].map((name) => [name, { type: 'string', optional: true }])),
    skip_credentials_validation: { type: 'bool', optional: true },
  },
  block_types: { default_tags: { nesting_mode: 'list', max_items: 1, block: { attributes: { tags: { type: ['map', 'string'], optional: true } } } } },
};

const all = [...new Set(types)].sort();
const of = (kept) => Object.fromEntries(kept.map((type) => [type.replace('data.', ''), schemaOf(type)]));
const version = readFileSync(join(folder, 'README.md'), 'utf8').match(/hashicorp\/aws provider version ([\d.]+)/)[1];
const schema = {
  format_version: '1.0',
  provider_schemas: {
    [`registry.terraform.io/hashicorp/aws`]: {
      provider: { version: 0, block: provider },
      resource_schemas: of(all.filter((type) => !type.includes('.'))),
      data_source_schemas: of(all.filter((type) => type.startsWith('data.'))),
      ephemeral_resource_schemas: Object.fromEntries(all.filter((type) => type.startsWith('ephemeral.'))
        .map((type) => [type.slice(10), { version: 0, block: { attributes: EPHEMERAL[type.slice(10)] } }])),
    },
  },
};
// One line for each type: small, and a change shows where it is.
const compact = JSON.stringify(schema).replace(/("(?:aws_\w+)":\{"version":0)/g, '\n$1');
process.stdout.write(`${compact}\n`);
console.error(`aws ${version}: ${all.length} types`);
