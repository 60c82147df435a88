package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// numbers produces PARTITION:NUMBER:PADDING to each partition in turn, idempotently, without ever giving up, and
// prints "PARTITION NUMBER OFFSET" for each acknowledgement. It ends once standard input does and all is answered.
// It pauses for 3 ms after every ten numbers, or for MILLISECONDS after each one.
func numbers(ctx context.Context, opts []kgo.Opt, args []string) error {
	partitions, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	pace := pace{numbers: 10, pause: 3 * time.Millisecond}
	if len(args) > 2 {
		millis, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		pace.numbers, pace.pause = 1, time.Duration(millis)*time.Millisecond
	}
	client, err := kgo.NewClient(append(opts,
		kgo.DefaultProduceTopic(args[0]),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.StopProducerOnDataLossDetected(),
		kgo.UnknownTopicRetries(-1),
		kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }),
		kgo.ProduceRequestTimeout(5*time.Second),
		kgo.MaxBufferedRecords(2000))...)
	if err != nil {
		return err
	}
	defer client.Close()
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	acknowledged := acknowledgements{out: bufio.NewWriter(os.Stdout)}
	produceNumbers(ctx, client, partitions, pace, &acknowledged, ended)
	if err := client.Flush(ctx); err != nil {
		return err
	}
	return errors.Join(acknowledged.failure, acknowledged.out.Flush())
}

// pace is a pause after so many numbers.
type pace struct {
	numbers int
	pause   time.Duration
}

func produceNumbers(ctx context.Context, client *kgo.Client, partitions int, pace pace, to *acknowledgements, ended chan struct{}) {
	for number := 0; ; number++ {
		for partition := 0; partition < partitions; partition++ {
			number := number
			record := &kgo.Record{Partition: int32(partition), Value: []byte(numbered(partition, number))}
			client.Produce(ctx, record, func(record *kgo.Record, err error) { to.add(record, number, err) })
		}
		if number%pace.numbers == 0 {
			select {
			case <-ended:
				return
			case <-time.After(pace.pause):
			}
		}
	}
}

// numbered is the value of the record of this number: anyone can compute it again, so any changed byte shows.
func numbered(partition, number int) string {
	mark := fmt.Sprintf("%08x", uint32(number)*2654435761)
	return fmt.Sprintf("%d:%d:%s", partition, number, strings.Repeat(mark, number%97))
}

type acknowledgements struct {
	mutex   sync.Mutex
	out     *bufio.Writer
	failure error
}

func (a *acknowledgements) add(record *kgo.Record, number int, err error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if err != nil {
		a.failure = errors.Join(a.failure, fmt.Errorf("partition %d number %d: %w", record.Partition, number, err))
		return
	}
	fmt.Fprintf(a.out, "%d\t%d\t%d\n", record.Partition, number, record.Offset)
}
