package functions

import (
	"maps"
	"testing"
)

func TestACLsAreReadOffSentences(t *testing.T) {
	acl := func(permission, principal, operation, kind, name, pattern, host string) map[string]string {
		return map[string]string{
			"permission": permission, "principal": principal, "operation": operation, "resource_type": kind,
			"resource_name": name, "pattern_type": pattern, "host": host,
		}
	}
	for text, wanted := range map[string]map[string]string{
		"allow User:ada read topic:orders":                       acl("allow", "User:ada", "read", "topic", "orders", "literal", "*"),
		"deny  User:* AlterConfigs topic:orders.* from 10.0.0.7": acl("deny", "User:*", "alter_configs", "topic", "orders.", "prefixed", "10.0.0.7"),
		"Allow User:CN=a,O=b READ Group:*":                       acl("allow", "User:CN=a,O=b", "read", "group", "*", "literal", "*"),
		"allow User:ada IDEMPOTENT_WRITE cluster":                acl("allow", "User:ada", "idempotent_write", "cluster", "kafka-cluster", "literal", "*"),
		"allow User:ada Write TransactionalId:tx":                acl("allow", "User:ada", "write", "transactional_id", "tx", "literal", "*"),
	} {
		found, err := readACL(text)
		if err != nil || !maps.Equal(found, wanted) {
			t.Errorf("%q: %v %v", text, found, err)
		}
	}
	for _, text := range []string{
		"", "allow", "permit User:ada read topic:x", "allow ada read topic:x", "allow User: read topic:x", "allow User:ada read x",
		"allow User:ada read topic:", "allow User:ada read cluster:other", "allow User:ada read topic:x from", "allow User:ada read topic:x to y",
	} {
		if found, err := readACL(text); err == nil {
			t.Errorf("%q was read as %v", text, found)
		}
	}
}

func TestAKeyIsPutTogetherAsTheServiceDoes(t *testing.T) {
	// The key of the service's own test.
	const known = "firn_live_abencwpcnlzxxqaejcgncfkztx_7777777777777777777777777777777777777777777777777777_eedd7d05"
	if key := wholeKey("abencwpcnlzxxqaejcgncfkztx", known[37:89]); key != known {
		t.Errorf("%s", key)
	}
}

func TestPasswordsAreQuotedForJAAS(t *testing.T) {
	if text := escaped(quoted(`a"b\c`)); text != `"a\\"b\\\\c"` {
		t.Error(text)
	}
	if text := escaped("zoë 🦭"); text != `zo\u00eb \ud83e\uddad` {
		t.Error(text)
	}
}
