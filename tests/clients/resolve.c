/* Names below `kafka.test` are this machine's, for clients that ask the C library (LD_PRELOAD). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>

typedef int resolver(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    static const char domain[] = ".kafka.test";
    size_t length = name ? strlen(name) : 0;
    if (length > sizeof domain && strcmp(name + length - (sizeof domain - 1), domain) == 0)
        name = "127.0.0.1";
    resolver *next = (resolver *)dlsym(RTLD_NEXT, "getaddrinfo");
    return next ? next(name, service, hints, found) : EAI_FAIL;
}
