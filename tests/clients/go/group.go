package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var balancers = map[string]func() kgo.GroupBalancer{
	"range":              kgo.RangeBalancer,
	"roundrobin":         kgo.RoundRobinBalancer,
	"sticky":             kgo.StickyBalancer,
	"cooperative-sticky": kgo.CooperativeStickyBalancer,
}

// group is a member of a consumer group until standard input ends. It prints what it is given, what it reads and what
// it has committed.
func group(ctx context.Context, opts []kgo.Opt, args []string) error {
	balancer, known := balancers[args[2]]
	if !known {
		return fmt.Errorf("no such assignor: %s", args[2])
	}
	journal := journal{topic: args[0], pending: map[int32]kgo.EpochOffset{}}
	opts = append(opts,
		kgo.ConsumeTopics(args[0]),
		kgo.ConsumerGroup(args[1]),
		kgo.Balancers(balancer()),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SessionTimeout(6*time.Second),
		kgo.HeartbeatInterval(500*time.Millisecond),
		kgo.FetchMaxWait(100*time.Millisecond),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(journal.said("assigned")),
		kgo.OnPartitionsRevoked(journal.said("revoked")),
		kgo.OnPartitionsLost(journal.said("lost")))
	if len(args) > 3 {
		opts = append(opts, kgo.InstanceID(args[3]))
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return err
	}
	defer client.CloseAllowingRebalance()
	polling, stop := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	for polling.Err() == nil {
		fetches := client.PollRecords(polling, 500)
		if err := failure(fetches); err != nil {
			return err
		}
		fetches.EachRecord(journal.record)
		journal.commit(ctx, client)
		client.AllowRebalance()
	}
	return nil
}

// failure is the first error of these fetches that a member cannot go on after; the others are told and forgotten.
func failure(fetches kgo.Fetches) error {
	for _, fetch := range fetches.Errors() {
		var lost *kgo.ErrDataLoss
		switch {
		case errors.Is(fetch.Err, context.Canceled):
		case errors.As(fetch.Err, &lost):
			return fetch.Err
		default:
			fmt.Fprintln(os.Stderr, fetch.Topic, fetch.Partition, fetch.Err)
		}
	}
	return nil
}

// journal is what a member prints, and what it has read and not yet committed.
type journal struct {
	topic   string
	mutex   sync.Mutex
	pending map[int32]kgo.EpochOffset
}

// said prints the partitions of a rebalance. Those that the member no longer has are not its to commit.
func (j *journal) said(word string) func(context.Context, *kgo.Client, map[string][]int32) {
	return func(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
		j.mutex.Lock()
		defer j.mutex.Unlock()
		partitions := slices.Sorted(slices.Values(topics[j.topic]))
		names := make([]string, len(partitions))
		for i, partition := range partitions {
			names[i] = fmt.Sprint(partition)
			if word != "assigned" {
				delete(j.pending, partition)
			}
		}
		fmt.Printf("%s %s\n", word, strings.Join(names, ","))
	}
}

func (j *journal) record(record *kgo.Record) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	fmt.Printf("record %d %d %s\n", record.Partition, record.Offset, record.Value)
	j.pending[record.Partition] = kgo.EpochOffset{Epoch: record.LeaderEpoch, Offset: record.Offset + 1}
}

// commit commits what is pending and prints what the broker has confirmed. What it refuses stays pending.
func (j *journal) commit(ctx context.Context, client *kgo.Client) {
	j.mutex.Lock()
	offsets := map[int32]kgo.EpochOffset{}
	for partition, offset := range j.pending {
		offsets[partition] = offset
	}
	j.mutex.Unlock()
	if len(offsets) == 0 {
		return
	}
	answered := func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, answer *kmsg.OffsetCommitResponse, err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, "commit:", err)
			return
		}
		for _, topic := range answer.Topics {
			for _, partition := range topic.Partitions {
				j.committed(partition, offsets)
			}
		}
	}
	client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{j.topic: offsets}, answered)
}

func (j *journal) committed(answer kmsg.OffsetCommitResponseTopicPartition, offsets map[int32]kgo.EpochOffset) {
	if err := kerr.ErrorForCode(answer.ErrorCode); err != nil {
		fmt.Fprintln(os.Stderr, "commit:", answer.Partition, err)
		return
	}
	j.mutex.Lock()
	defer j.mutex.Unlock()
	offset := offsets[answer.Partition]
	fmt.Printf("committed %d %d\n", answer.Partition, offset.Offset)
	if j.pending[answer.Partition] == offset {
		delete(j.pending, answer.Partition)
	}
}

// committed prints "PARTITION OFFSET" for each partition of a topic for which a group has an offset.
func committed(ctx context.Context, opts []kgo.Opt, args []string) error {
	admin, err := kadm.NewOptClient(opts...)
	if err != nil {
		return err
	}
	defer admin.Close()
	offsets, err := admin.FetchOffsets(ctx, args[1])
	if err != nil {
		return err
	}
	for _, offset := range offsets.Sorted() {
		if offset.Err != nil {
			return offset.Err
		}
		if offset.Topic == args[0] {
			fmt.Printf("%d\t%d\n", offset.Partition, offset.At)
		}
	}
	return nil
}
