# Files by what assay found, whatever its policy did: for mode = "observe", or for rules of your own.
# Put your authserv_id in the place of mx.example.org, here and nowhere else.
#
# Why this cannot be forged: assay removes every Authentication-Results field that claims this id, in
# any spelling, and writes its own above all others. So the topmost field that begins with the id is
# the only one. Fields of others stay in the message, which is why the patterns begin with the id and
# its ";": what another field says after its own id does not count. Only assay ends a result with ";",
# which it writes in no comment and no value, so that "; dmarc=" is a result and never a sender's text.
# They look at the field itself and not at a copy: a sender can make it longer than a variable may be.
# Mail that did not come in through assay has no field that can be trusted.
require ["fileinto", "mailbox", "variables"];

set "id" "mx.example.org";

# Forged, if the author's domain is to be believed.
if header :matches "Authentication-Results" "${id};*;?dmarc=fail*" {
    fileinto :create "Junk";
    stop;
}

# A bank that signs all of its mail: what has not passed is not from it.
if allof (address :domain "From" "bank.example",
          not header :matches "Authentication-Results" "${id};*;?dmarc=pass*") {
    fileinto :create "Junk";
}
