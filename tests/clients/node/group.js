// A member of a consumer group (kafkajs): it prints what it is given, what it reads and what it has committed, until its
// standard input ends.
'use strict';

const { AssignerProtocol } = require('kafkajs');

const { MemberAssignment, MemberMetadata } = AssignerProtocol;
const VERSION = 0;

// Who gets which of the partitions 0 to COUNT-1 of one topic, as lists of partitions in the order of the members.
const SHARES = {
  range: (count, members) => {
    const [share, more] = [Math.floor(count / members), count % members];
    const start = (index) => index * share + Math.min(index, more);
    return Array.from({ length: members }, (_, index) => span(start(index), start(index + 1), 1));
  },
  roundrobin: (count, members) => Array.from({ length: members }, (_, index) => span(index, count, members)),
};

function span(from, to, step) {
  const numbers = [];
  for (let number = from; number < to; number += step) numbers.push(number);
  return numbers;
}

// The library brings one assigner with a name of its own. This one speaks the names and the bytes of the other clients,
// for groups whose members all subscribe to the same topic.
const assigner = (name) => ({ cluster }) => ({
  name,
  version: VERSION,
  protocol: ({ topics }) => ({
    name,
    metadata: MemberMetadata.encode({ version: VERSION, topics, userData: Buffer.alloc(0) }),
  }),
  async assign({ members, topics: [topic] }) {
    for (const { memberId, memberMetadata } of members) {
      const { topics } = MemberMetadata.decode(memberMetadata);
      if (topics.join() !== topic) throw new Error(`${memberId} subscribes to ${topics}`);
    }
    const ids = members.map(({ memberId }) => memberId).sort();
    const shares = SHARES[name](cluster.findTopicPartitionMetadata(topic).length, ids.length);
    return ids.map((memberId, index) => ({
      memberId,
      memberAssignment: MemberAssignment.encode({
        version: VERSION,
        assignment: { [topic]: shares[index] },
        userData: Buffer.alloc(0),
      }),
    }));
  },
});

const say = (line) => process.stdout.write(`${line}\n`);

// Prints the rebalances of this consumer.
function tell(consumer, topic) {
  let owned = [];
  const give = (word) => {
    if (owned.length > 0) say(`${word} ${owned.join()}`);
    owned = [];
  };
  consumer.on(consumer.events.REBALANCING, () => give('revoked'));
  consumer.on(consumer.events.CRASH, () => give('lost'));
  consumer.on(consumer.events.STOP, () => give('revoked'));
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    give('lost');
    owned = [...(payload.memberAssignment[topic] ?? [])].sort((a, b) => a - b);
    say(`assigned ${owned.join()}`);
  });
}

async function group(kafka, topic, groupId, assignor, instance) {
  if (!(assignor in SHARES)) throw new Error(`no such assignor: ${assignor}`);
  if (instance !== undefined) throw new Error('kafkajs knows no static members');
  const consumer = kafka.consumer({
    groupId,
    partitionAssigners: [assigner(assignor)],
    sessionTimeout: 6000,
    rebalanceTimeout: 10000,
    heartbeatInterval: 500,
    maxWaitTimeInMs: 100,
    retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 100 },
  });
  tell(consumer, topic);
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch: { partition, messages }, commitOffsetsIfNecessary }) => {
      messages.forEach(({ offset, value }) => say(`record ${partition} ${offset} ${value}`));
      const offset = String(BigInt(messages[messages.length - 1].offset) + 1n);
      await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset }] }] });
      say(`committed ${partition} ${offset}`);
    },
  });
  for await (const _ of process.stdin);
  await consumer.disconnect();
  // Sockets to a broker that has gone away, which the library has replaced but not closed, would keep the process.
  process.exit();
}

module.exports = { group };
