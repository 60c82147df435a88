package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

// produce sends the lines of standard input, idempotently, and fails unless every one is acknowledged.
func produce(ctx context.Context, opts []kgo.Opt, args []string) error {
	codec, known := codecs[args[1]]
	if !known {
		return fmt.Errorf("no such codec: %s", args[1])
	}
	client, err := kgo.NewClient(append(opts,
		kgo.DefaultProduceTopic(args[0]),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codec),
		kgo.ProducerLinger(5*time.Millisecond))...)
	if err != nil {
		return err
	}
	defer client.Close()
	failures := make(chan error, 1)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		record, err := parse(lines.Text())
		if err != nil {
			return err
		}
		client.Produce(ctx, record, func(_ *kgo.Record, err error) {
			if err != nil {
				select {
				case failures <- err:
				default:
				}
			}
		})
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if err := client.Flush(ctx); err != nil {
		return err
	}
	select {
	case err := <-failures:
		return err
	default:
		return nil
	}
}

// consume reads every partition from its start by assignment until it has COUNT records.
func consume(ctx context.Context, opts []kgo.Opt, args []string) error {
	wanted, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	starts, err := beginnings(ctx, opts, args[0])
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(append(opts,
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{args[0]: starts}))...)
	if err != nil {
		return err
	}
	defer client.Close()
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	for seen := 0; seen < wanted; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(record *kgo.Record) {
			seen++
			write(out, record)
		})
	}
	return out.Flush()
}

func beginnings(ctx context.Context, opts []kgo.Opt, topic string) (map[int32]kgo.Offset, error) {
	admin, err := kadm.NewOptClient(opts...)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	topics, err := admin.ListTopics(ctx, topic)
	if err != nil {
		return nil, err
	}
	starts := map[int32]kgo.Offset{}
	for _, partition := range topics[topic].Partitions.Numbers() {
		starts[partition] = kgo.NewOffset().AtStart()
	}
	return starts, topics[topic].Err
}

func parse(line string) (*kgo.Record, error) {
	fields := strings.Split(line, "\t")
	if len(fields) != 5 {
		return nil, fmt.Errorf("%d fields in %q", len(fields), line)
	}
	partition, err := strconv.ParseInt(fields[0], 10, 32)
	if err != nil {
		return nil, err
	}
	millis, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return nil, err
	}
	key, keyErr := unhex(fields[2])
	value, valueErr := unhex(fields[3])
	record := &kgo.Record{Partition: int32(partition), Timestamp: time.UnixMilli(millis), Key: key, Value: value}
	if fields[4] != "" {
		for _, header := range strings.Split(fields[4], ",") {
			name, text, _ := strings.Cut(header, ":")
			content, err := unhex(text)
			if err != nil {
				return nil, err
			}
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: name, Value: content})
		}
	}
	return record, errors.Join(keyErr, valueErr)
}

func unhex(text string) ([]byte, error) {
	if text == "-" {
		return nil, nil
	}
	return hex.DecodeString(text)
}

func tohex(content []byte) string {
	if content == nil {
		return "-"
	}
	return hex.EncodeToString(content)
}

func write(out *bufio.Writer, record *kgo.Record) {
	headers := make([]string, len(record.Headers))
	for i, header := range record.Headers {
		headers[i] = header.Key + ":" + tohex(header.Value)
	}
	fmt.Fprintf(out, "%d\t%d\t%d\t%s\t%s\t%s\n", record.Partition, record.Offset,
		record.Timestamp.UnixMilli(), tohex(record.Key), tohex(record.Value), strings.Join(headers, ","))
}
