// The Go client of the tests (franz-go): produces and consumes record lines, creates topics, asks for offsets,
// produces numbered records through crashes, and is a member of consumer groups. tests/clients/README.md describes the
// lines.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

type command struct {
	usage string
	args  int
	run   func(ctx context.Context, client []kgo.Opt, args []string) error
}

var commands = map[string]command{
	"create":    {"create BOOTSTRAP TOPIC PARTITIONS [KEY=VALUE...]", 3, create},
	"offsets":   {"offsets BOOTSTRAP TOPIC MILLISECONDS|earliest|latest", 3, offsets},
	"produce":   {"produce BOOTSTRAP TOPIC CODEC < LINES", 3, produce},
	"consume":   {"consume BOOTSTRAP TOPIC COUNT > LINES", 3, consume},
	"numbers":   {"numbers BOOTSTRAP TOPIC PARTITIONS [MILLISECONDS] > ACKNOWLEDGED (until standard input ends)", 3, numbers},
	"group":     {"group BOOTSTRAP TOPIC GROUP ASSIGNOR [INSTANCE] (until standard input ends)", 4, group},
	"committed": {"committed BOOTSTRAP TOPIC GROUP", 3, committed},
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("no command")
	}
	command, known := commands[args[0]]
	if !known || len(args)-1 < command.args {
		return fmt.Errorf("usage: %s", command.usage)
	}
	secured, err := security()
	if err != nil {
		return err
	}
	client := append(secured, kgo.SeedBrokers(args[1]), kgo.ClientID("firn-test-go"))
	return command.run(context.Background(), client, args[2:])
}

func create(ctx context.Context, opts []kgo.Opt, args []string) error {
	admin, err := kadm.NewOptClient(opts...)
	if err != nil {
		return err
	}
	defer admin.Close()
	partitions, err := strconv.ParseInt(args[1], 10, 32)
	if err != nil {
		return err
	}
	configs := map[string]*string{}
	for _, pair := range args[2:] {
		key, value, _ := strings.Cut(pair, "=")
		configs[key] = &value
	}
	answer, err := admin.CreateTopic(ctx, int32(partitions), -1, configs, args[0])
	if err != nil {
		return err
	}
	return answer.Err
}

// offsets prints "PARTITION OFFSET TIMESTAMP" for each partition.
func offsets(ctx context.Context, opts []kgo.Opt, args []string) error {
	admin, err := kadm.NewOptClient(opts...)
	if err != nil {
		return err
	}
	defer admin.Close()
	var listed kadm.ListedOffsets
	switch args[1] {
	case "earliest":
		listed, err = admin.ListStartOffsets(ctx, args[0])
	case "latest":
		listed, err = admin.ListEndOffsets(ctx, args[0])
	default:
		millis, parse := strconv.ParseInt(args[1], 10, 64)
		if parse != nil {
			return parse
		}
		listed, err = admin.ListOffsetsAfterMilli(ctx, millis, args[0])
	}
	if err != nil {
		return err
	}
	if err := listed.Error(); err != nil {
		return err
	}
	for _, offset := range listed.Offsets().Sorted() {
		found, _ := listed.Lookup(offset.Topic, offset.Partition)
		fmt.Printf("%d\t%d\t%d\n", found.Partition, found.Offset, found.Timestamp)
	}
	return nil
}
