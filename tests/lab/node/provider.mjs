// An OpenID Connect provider with one client; whoever types a name is signed in under it, with any password.
// Argument: a file with JSON: issuer, address, port, certificate, key (PEM files), client, secret, redirect, logout (where it tells
// of a log-out, or null), back (where browsers may go after one), algorithm (of ID tokens), inToken (whether the ID token holds all claims),
// gateway (where it finds every name, or null), authority (PEM file with the roots that it believes), keys (a file in which its keys
// outlive it; none: it has new ones each time).
// Prints "ready" once it listens, and then a line for each back-channel log-out: "logout STATUS".
import { generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:https";
import { Provider } from "oidc-provider";

const told = JSON.parse(readFileSync(process.argv[2], "utf8"));
const groups = { ada: ["pbx-users", "staff"], eve: ["visitors"] };

function key(kind, options, algorithm) {
  const { privateKey } = generateKeyPairSync(kind, options);
  return { ...privateKey.export({ format: "jwk" }), kid: algorithm, alg: algorithm, use: "sig" };
}

const keys = {
  RS256: () => key("rsa", { modulusLength: 2048 }, "RS256"),
  PS256: () => key("rsa", { modulusLength: 2048 }, "PS256"),
  ES256: () => key("ec", { namedCurve: "P-256" }, "ES256"),
  EdDSA: () => key("ed25519", {}, "EdDSA"),
};

function allKeys() {
  if (told.keys && existsSync(told.keys)) return JSON.parse(readFileSync(told.keys, "utf8"));
  const made = [keys[told.algorithm](), ...(told.algorithm === "RS256" ? [] : [keys.RS256()])];
  if (told.keys) writeFileSync(told.keys, JSON.stringify(made), { mode: 0o600 });
  return made;
}

// As fetch, but every name is found at the gateway.
function send(url, options) {
  return new Promise((resolve, reject) => {
    const { hostname, port, pathname, search } = new URL(url);
    const asked = request(
      {
        host: told.gateway ?? hostname,
        servername: hostname,
        port: port || 443,
        path: pathname + search,
        method: options.method ?? "GET",
        headers: { ...Object.fromEntries(new Headers(options.headers)), host: new URL(url).host },
        ca: readFileSync(told.authority),
      },
      (answer) => {
        answer.resume();
        console.log(`logout ${answer.statusCode}`);
        answer.on("end", () => resolve(new Response(null, { status: answer.statusCode })));
      },
    );
    asked.on("error", (error) => {
      console.log(`logout ${error.message}`);
      reject(error);
    });
    asked.end(options.body?.toString());
  });
}

const provider = new Provider(told.issuer, {
  clients: [
    {
      client_id: told.client,
      client_secret: told.secret,
      redirect_uris: [told.redirect],
      post_logout_redirect_uris: told.back ? [told.back] : [],
      response_types: ["code"],
      grant_types: ["authorization_code"],
      id_token_signed_response_alg: told.algorithm,
      ...(told.logout && { backchannel_logout_uri: told.logout, backchannel_logout_session_required: true }),
    },
  ],
  jwks: { keys: allKeys() },
  enabledJWA: { idTokenSigningAlgValues: ["RS256", "PS256", "ES256", "EdDSA"] },
  cookies: { keys: ["only for the lab"] },
  claims: { openid: ["sub"], profile: ["preferred_username", "groups"], email: ["email"] },
  conformIdTokenClaims: !told.inToken,
  findAccount: (_, id) => ({
    accountId: id,
    // Of a stranger it does not say that he is in no group, but nothing.
    claims: () => ({ sub: id, preferred_username: id, ...(groups[id] && { groups: groups[id] }), email: `${id}@example.com` }),
  }),
  features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: true } },
  pkce: { required: () => true },
  fetch: send,
});

const tls = { cert: readFileSync(told.certificate), key: readFileSync(told.key) };
createServer(tls, provider.callback()).listen(told.port, told.address, () => console.log("ready"));
