"""Messages of H.323 endpoints and gatekeepers, by pycrate from the ASN.1 of H.225.0. Shared by phone.py and pbx.py."""
from pycrate_asn1dir import H225

USER = H225.H323_MESSAGES.H323_UserInformation
RAS = H225.H323_MESSAGES.RasMessage

PROTOCOL = (0, 0, 8, 2250, 0, 6)
VENDOR = {
    "vendor": {"t35CountryCode": 181, "t35Extension": 0, "manufacturerCode": 18},
    "productId": b"IP222",
    "versionId": b"14r1",
}
TERMINAL = {"vendor": VENDOR, "terminal": {}, "mc": False, "undefinedNode": False}
ADDRESS = ("ipAddress", {"ip": bytes([10, 0, 0, 2]), "port": 1720})
FACILITY, INFORMATION, SETUP, RELEASE_COMPLETE = 0x62, 0x7B, 0x05, 0x5A
KEEP_ALIVE = bytes([3, 0, 0, 4])
DIGITS = set("0123456789*#,")


def tpkt(message):
    """RFC 1006."""
    return bytes([3, 0]) + (len(message) + 4).to_bytes(2, "big") + message


def q931(kind, reference, user, others=b""):
    """A whole message; its information is PER behind the discriminator of Q.931 for ASN.1."""
    user = b"\x05" + user
    element = b"\x7e" + len(user).to_bytes(2, "big") + user
    return tpkt(bytes([8, 2]) + reference.to_bytes(2, "big") + bytes([kind]) + others + element)


def alias(text):
    if set(text) <= DIGITS:
        return ("dialledDigits", text)
    if text.startswith("h323:"):
        return ("url-ID", text)
    return ("h323-ID", text)


def ras(kind, fields):
    RAS.set_val((kind, fields))
    return RAS.to_aper()


def tunnelled(messages, body=("empty", 0), kind=FACILITY):
    """H.460.17: RAS messages in the generic data of one message of call signalling."""
    parameters = [{"id": ("standard", 1), "content": ("raw", one)} for one in messages]
    data = [{"id": ("standard", 17), "parameters": parameters}]
    USER.set_val({"h323-uu-pdu": {"h323-message-body": body, "h245Tunnelling": True, "genericData": data}})
    return q931(kind, 0, USER.to_aper())


def discovery(gatekeeper, aliases, number=1):
    fields = {"requestSeqNum": number, "protocolIdentifier": PROTOCOL, "rasAddress": ADDRESS, "endpointType": TERMINAL}
    return ras("gatekeeperRequest", fields | named("endpointAlias", gatekeeper, aliases))


def registration(gatekeeper, aliases, number=2):
    fields = {
        "requestSeqNum": number, "protocolIdentifier": PROTOCOL, "discoveryComplete": True, "callSignalAddress": [ADDRESS],
        "rasAddress": [ADDRESS], "terminalType": TERMINAL, "endpointVendor": VENDOR,
    }
    return ras("registrationRequest", fields | named("terminalAlias", gatekeeper, aliases))


def unregistration(number=3):
    return ras("unregistrationRequest", {"requestSeqNum": number, "callSignalAddress": [ADDRESS]})


def named(field, gatekeeper, aliases):
    fields = {"gatekeeperIdentifier": gatekeeper} if gatekeeper else {}
    return fields | ({field: [alias(one) for one in aliases]} if aliases else {})


def setup(caller, called):
    """A call by somebody who is not registered."""
    fields = {
        "protocolIdentifier": PROTOCOL, "sourceInfo": TERMINAL, "activeMC": False, "conferenceID": bytes(range(16)),
        "conferenceGoal": ("create", 0), "callType": ("pointToPoint", 0), "sourceAddress": [alias(caller)],
        "destinationAddress": [alias(called)], "callIdentifier": {"guid": bytes(range(16))}, "mediaWaitForConnect": False,
        "canOverlapSend": False,
    }
    USER.set_val({"h323-uu-pdu": {"h323-message-body": ("setup", fields), "h245Tunnelling": True}})
    return q931(SETUP, 0x1234, USER.to_aper(), bytes([4, 3, 0x88, 0xC0, 0xA5]))


def release_complete(reference):
    fields = {"protocolIdentifier": PROTOCOL, "callIdentifier": {"guid": bytes(range(16))}}
    USER.set_val({"h323-uu-pdu": {"h323-message-body": ("releaseComplete", fields), "h245Tunnelling": True}})
    return q931(RELEASE_COMPLETE, reference | 0x8000, USER.to_aper())


def facility_of_a_call(reference):
    """What passes in a call that stands, without RAS."""
    fields = {"protocolIdentifier": PROTOCOL, "reason": ("transportedInformation", 0)}
    USER.set_val({"h323-uu-pdu": {"h323-message-body": ("facility", fields), "h245Tunnelling": True}})
    return q931(FACILITY, reference, USER.to_aper())


def understood(frame):
    """What a frame holds: its call reference, and the name and fields of its RAS messages, or of its body."""
    message = frame[4:]
    if not message:
        return 0, []
    length = message[1] & 15
    reference = int.from_bytes(message[2:2 + length], "big")
    rest = message[3 + length:]
    while rest:
        if rest[0] == 0x7E:
            USER.from_aper(rest[4:3 + int.from_bytes(rest[1:3], "big")])
            break
        rest = rest[1:] if rest[0] & 0x80 else rest[2 + rest[1]:]
    pdu = USER.get_val()["h323-uu-pdu"]
    found = []
    for data in pdu.get("genericData", []):
        for parameter in data.get("parameters", []):
            if data["id"] == ("standard", 17) and parameter["id"] == ("standard", 1):
                RAS.from_aper(parameter["content"][1])
                found.append(RAS.get_val())
    return reference, found or [pdu["h323-message-body"]]


def answers(frame):
    """What a gatekeeper that takes everybody says to a frame."""
    reference, messages = understood(frame)
    found = []
    for kind, fields in messages:
        if kind == "gatekeeperRequest":
            confirm = {
                "requestSeqNum": fields["requestSeqNum"], "protocolIdentifier": PROTOCOL, "rasAddress": ADDRESS,
                "gatekeeperIdentifier": "pbx",
            }
            found.append(tunnelled([ras("gatekeeperConfirm", confirm)]))
        elif kind == "registrationRequest":
            confirm = {
                "requestSeqNum": fields["requestSeqNum"], "protocolIdentifier": PROTOCOL, "callSignalAddress": [ADDRESS],
                "gatekeeperIdentifier": "pbx", "endpointIdentifier": "e1", "timeToLive": 120, "willRespondToIRR": False,
                "preGrantedARQ": {
                    "makeCall": True, "useGKCallSignalAddressToMakeCall": True, "answerCall": True,
                    "useGKCallSignalAddressToAnswer": True,
                },
                "maintainConnection": True,
            }
            found.append(tunnelled([ras("registrationConfirm", confirm)]))
        elif kind == "setup":
            found.append(release_complete(reference))
    return found


def frames(buffer):
    """The whole frames that `buffer` begins with, and what is left."""
    whole = []
    while len(buffer) >= 4:
        length = int.from_bytes(buffer[2:4], "big")
        if buffer[0] != 3 or length < 4 or len(buffer) < length:
            break
        whole.append(buffer[:length])
        buffer = buffer[length:]
    return whole, buffer
