package client

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/firn-stream/terraform-provider-firn/internal/client/api"
)

const (
	// How long the first ACL waits for company.
	batchGathers = 10 * time.Millisecond
	// How many the API takes at once.
	largestBatch = 200
	// How long a batch may take, whoever waits for it.
	batchPatience = 5 * time.Minute
)

// change is one ACL to make or to delete, and where its caller waits.
type change struct {
	create *api.NewAcl
	remove string
	result chan outcome
}

type outcome struct {
	acl *api.Acl
	err error
}

// batcher gathers the ACLs of a cluster that are changed at the same moment, and sends them as one request.
type batcher struct {
	send func(ctx context.Context, cluster string, changes []change)

	lock    sync.Mutex
	waiting map[string][]change
}

func newBatcher(send func(context.Context, string, []change)) *batcher {
	return &batcher{send: send, waiting: map[string][]change{}}
}

func (b *batcher) do(ctx context.Context, cluster string, wanted change) (*api.Acl, error) {
	wanted.result = make(chan outcome, 1)
	b.lock.Lock()
	waiting := append(b.waiting[cluster], wanted)
	b.waiting[cluster] = waiting
	if len(waiting) == 1 {
		time.AfterFunc(batchGathers, func() { b.flush(cluster) })
	}
	b.lock.Unlock()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case outcome := <-wanted.result:
		return outcome.acl, outcome.err
	}
}

func (b *batcher) flush(cluster string) {
	b.lock.Lock()
	waiting := b.waiting[cluster]
	delete(b.waiting, cluster)
	b.lock.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), batchPatience)
	defer cancel()
	for len(waiting) > 0 {
		part := waiting[:min(len(waiting), largestBatch)]
		waiting = waiting[len(part):]
		b.send(ctx, cluster, part)
	}
}

// CreateACL makes an ACL, together with those that are made at the same moment.
func (c *Client) CreateACL(ctx context.Context, cluster string, wanted api.NewAcl) (*api.Acl, error) {
	return c.acls.do(ctx, cluster, change{create: &wanted})
}

// DeleteACL deletes an ACL, together with those that are changed at the same moment.
func (c *Client) DeleteACL(ctx context.Context, cluster, id string) error {
	_, err := c.acls.do(ctx, cluster, change{remove: id})
	if IsGone(err) {
		return nil
	}
	return err
}

// changeACLs sends one batch and gives everybody their own outcome.
func (c *Client) changeACLs(ctx context.Context, cluster string, changes []change) {
	var creating, removing []change
	batch := api.AclBatch{Create: &[]api.NewAcl{}, Delete: &[]string{}}
	for _, wanted := range changes {
		if wanted.create != nil {
			*batch.Create = append(*batch.Create, *wanted.create)
			creating = append(creating, wanted)
		} else {
			*batch.Delete = append(*batch.Delete, wanted.remove)
			removing = append(removing, wanted)
		}
	}
	answer, err := c.API.ChangeAcls(ctx, cluster, nil, batch)
	results, err := Settle[api.AclBatchResults](ctx, c, answer, err)
	c.ACLs.Forget(cluster)
	for place, wanted := range append(creating, removing...) {
		wanted.result <- outcomeOf(results.Results, place, err)
	}
}

func outcomeOf(results []api.AclResult, place int, err error) outcome {
	var late *NotInForceError
	if err != nil && !errors.As(err, &late) {
		return outcome{err: err}
	}
	if place >= len(results) {
		return outcome{err: errors.New("the service did not say what became of this ACL")}
	}
	result := results[place]
	if result.Problem != nil {
		return outcome{err: &Problem{*result.Problem}}
	}
	return outcome{acl: result.Acl, err: err}
}
