/* Preloaded into clients that have no hosts file of their own: names under kafka.test are this machine. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    static const char domain[] = ".kafka.test";
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
    size_t length = node ? strlen(node) : 0, suffix = sizeof domain - 1;
    if (length > suffix && strcmp(node + length - suffix, domain) == 0) {
        node = "127.0.0.1";
    }
    return next(node, service, hints, result);
}
