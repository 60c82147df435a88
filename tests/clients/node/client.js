// The Node client of the tests (kafkajs): produces and consumes record lines, and is a member of consumer groups.
// tests/clients/README.md describes the lines. The consumer of kafkajs always joins a group; to read assigned
// partitions `consume` drives the fetch requests of the same library by hand.
'use strict';

const readline = require('node:readline');
process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';
const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = require('kafkajs');
const snappy = require('kafkajs-snappy');
const { group } = require('./group');
const { security } = require('./security');

CompressionCodecs[CompressionTypes.Snappy] = snappy;

const CODECS = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
};
const RECORDS_PER_REQUEST = 2000;

const unhex = (text) => (text === '-' ? null : Buffer.from(text, 'hex'));
const tohex = (content) => (content === null || content === undefined ? '-' : content.toString('hex'));

function parse(line) {
  const [partition, timestamp, key, value, headers] = line.split('\t');
  const pairs = headers === '' ? [] : headers.split(',').map((header) => header.split(':'));
  return {
    partition: Number(partition),
    timestamp,
    key: unhex(key),
    value: unhex(value),
    headers: Object.fromEntries(pairs.map(([name, content]) => [name, unhex(content)])),
  };
}

function show(partition, { offset, timestamp, key, value, headers }) {
  const pairs = Object.entries(headers).map(([name, content]) => `${name}:${tohex(content)}`);
  return `${partition}\t${offset}\t${timestamp}\t${tohex(key)}\t${tohex(value)}\t${pairs.join(',')}\n`;
}

async function produce(kafka, topic, codec) {
  if (!(codec in CODECS)) throw new Error(`no such codec: ${codec}`);
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  let messages = [];
  const send = async () => {
    const sent = messages;
    messages = [];
    if (sent.length > 0) await producer.send({ topic, messages: sent, compression: CODECS[codec], acks: -1 });
  };
  for await (const line of readline.createInterface({ input: process.stdin })) {
    messages.push(parse(line));
    if (messages.length === RECORDS_PER_REQUEST) await send();
  }
  await send();
  await producer.disconnect();
}

async function consume(kafka, topic, count) {
  const secret = Object.getOwnPropertySymbols(kafka).find((symbol) => String(symbol).includes('createCluster'));
  const cluster = kafka[secret]({ metadataMaxAge: 300000 });
  await cluster.connect();
  await cluster.addTargetTopic(topic);
  for (const { partitionId, leader } of cluster.findTopicPartitionMetadata(topic)) {
    count -= await consumePartition(cluster, topic, partitionId, leader);
  }
  await cluster.disconnect();
  if (count !== 0) throw new Error(`${count} records fewer than expected`);
}

async function consumePartition(cluster, topic, partition, leader) {
  const broker = await cluster.findBroker({ nodeId: String(leader) });
  let position = 0n;
  for (let end = 1n; position < end;) {
    const answer = await broker.fetch({
      isolationLevel: 1,
      maxWaitTime: 100,
      topics: [{ topic, partitions: [{ partition, fetchOffset: String(position), maxBytes: 1048576 }] }],
    });
    const { messages, highWatermark } = answer.responses[0].partitions[0];
    end = BigInt(highWatermark);
    const fresh = messages.filter((message) => BigInt(message.offset) >= position);
    fresh.forEach((message) => process.stdout.write(show(partition, message)));
    if (fresh.length > 0) position = BigInt(fresh[fresh.length - 1].offset) + 1n;
  }
  return Number(position);
}

async function main() {
  const [command, bootstrap, topic, last, ...more] = process.argv.slice(2);
  const kafka = new Kafka({
    clientId: 'firn-test-node', brokers: [bootstrap], logLevel: logLevel.ERROR, ...security(),
  });
  if (command === 'produce') return produce(kafka, topic, last);
  if (command === 'consume') return consume(kafka, topic, Number(last));
  if (command === 'group') return group(kafka, topic, last, ...more);
  throw new Error('usage: client.js produce BOOTSTRAP TOPIC CODEC < LINES | consume BOOTSTRAP TOPIC COUNT > LINES | '
    + 'group BOOTSTRAP TOPIC GROUP ASSIGNOR [INSTANCE]');
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
