# Files what assay has tagged (policy actions "tag") in Junk.
# The field is ours alone: assay removes every X-Assay-Disposition that a message brings along,
# whoever sent it. That holds for mail that came in through assay, and for no other.
require ["fileinto", "mailbox"];

if header :matches "X-Assay-Disposition" "tag;*" {
    fileinto :create "Junk";
}
