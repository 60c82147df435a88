/** Pages of a person: signup, login and what mails lead to; and, behind the login, the profile. */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { appRoute, publicRoute } from "@/shell/routes";

/** What a login through a provider that came to nothing leaves in the address. */
interface Failed {
  /** The login provider of the person's organization. */
  provider?: string;
  /** The problem's code. */
  failed?: string;
  /** The id of the request that says so. */
  request?: string;
}

interface LoginSearch extends Failed {
  /** Where to go on after the login: a path of the console. */
  return_to?: string;
}

interface ProfileSearch extends Failed {
  /** The provider that is to be linked. */
  link?: string;
  /** One was linked just now. */
  linked?: string;
}

/** Only a path of our own: a link must not lead a person who has just logged in elsewhere. */
function ownPath(path: unknown): { return_to?: string } {
  return typeof path === "string" && /^\/(?![/\\])/.test(path) ? { return_to: path } : {};
}

/** A word of the address that is shown or sent as it is. */
function word<Name extends string>(name: Name, value: unknown, shape: RegExp): { [key in Name]?: string } {
  const text = typeof value === "string" || typeof value === "number" ? String(value) : "";
  return (shape.test(text) ? { [name]: text } : {}) as { [key in Name]?: string };
}

const providerId = /^idp_[a-h][a-z2-7]{25}$/;
const failure = (search: Record<string, unknown>): Failed => ({
  ...word("provider", search.provider, providerId),
  ...word("failed", search.failed, /^[a-z_]{1,40}$/),
  ...word("request", search.request, /^[\w.:-]{1,128}$/),
});
const token = ({ token: given }: Record<string, unknown>) => word("token", given, /^[\w.~+/=-]{1,100}$/);

const login = createRoute({
  getParentRoute: () => publicRoute,
  path: "/login",
  validateSearch: (search: Record<string, unknown>): LoginSearch => ({
    ...ownPath(search.return_to),
    ...failure(search),
  }),
  component: lazyRouteComponent(() => import("./LoginPage"), "LoginPage"),
});

const signup = createRoute({
  getParentRoute: () => publicRoute,
  path: "/signup",
  component: lazyRouteComponent(() => import("./SignupPage"), "SignupPage"),
});

const verify = createRoute({
  getParentRoute: () => publicRoute,
  path: "/verify",
  validateSearch: token,
  component: lazyRouteComponent(() => import("./VerifyPage"), "VerifyPage"),
});

const reset = createRoute({
  getParentRoute: () => publicRoute,
  path: "/reset",
  validateSearch: token,
  component: lazyRouteComponent(() => import("./ResetPage"), "ResetPage"),
});

const invitation = createRoute({
  getParentRoute: () => publicRoute,
  path: "/invitation",
  validateSearch: token,
  component: lazyRouteComponent(() => import("./InvitationPage"), "InvitationPage"),
});

const profile = createRoute({
  getParentRoute: () => appRoute,
  path: "/profile",
  validateSearch: (search: Record<string, unknown>): ProfileSearch => ({
    ...failure(search),
    ...word("link", search.link, providerId),
    ...word("linked", search.linked, /^yes$/),
  }),
  component: lazyRouteComponent(() => import("./ProfilePage"), "ProfilePage"),
});

const sessions = createRoute({
  getParentRoute: () => appRoute,
  path: "/profile/sessions",
  component: lazyRouteComponent(() => import("./SessionsPage"), "SessionsPage"),
});

export const accountRoutes = [login, signup, verify, reset, invitation] as const;
export const profileRoutes = [profile, sessions] as const;
