package peers

import (
	"fmt"
	"net/netip"
	"strings"

	"assay/dnscache/dnstest"
	"assay/filter/miltertest"
)

// hostile makes messages that are meant to cost much, or to break something.
func (p *postOffice) hostile() []mail {
	z := p.zone
	z.Fail("broken.example", "", dnstest.ServFail)
	z.Add("loop.example", "TXT", "v=spf1 include:loop.example -all")
	z.Add("wide.example", "TXT", "v=spf1"+strings.Repeat(" mx:wide.example", 20)+" -all")
	for i := range 20 {
		z.Add("wide.example", "MX", fmt.Sprint(i), fmt.Sprintf("h%d.wide.example", i))
	}
	var all []mail
	add := func(sender, raw string) {
		all = append(all, mail{miltertest.Message{
			Client: netip.MustParseAddrPort("192.0.2.7:25000"), ClientName: "out.esp.example", Helo: "out.esp.example",
			From: "a@" + sender, Rcpts: []string{"b@rcpt.test"}, Raw: []byte(raw),
		}, 0})
	}
	signature := func(domain, names string) string {
		return "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=" + domain + "; s=s1; h=" + names + "; bh=eHh4; b=eHh4\r\n"
	}
	const end = "\r\nHello.\r\n"
	from := "From: a@" + author(0) + "\r\n"

	add("broken.example", signature("broken.example", "From")+"From: a@broken.example\r\n"+end)
	add("loop.example", "From: a@loop.example\r\n"+end)
	add("wide.example", "From: a@wide.example\r\n"+end)
	add(author(0), strings.Repeat(signature(author(0), "From"), 300)+from+end)
	add(author(0), signature(author(0), strings.Repeat("From:", 5000)+"To")+from+end)
	add(author(0), strings.Repeat("X-Filler: x\r\n", 2100)+from+end)
	add(author(0), strings.Repeat("X-Filler: "+strings.Repeat(strings.Repeat("x", 900)+"\r\n ", 600)+"x\r\n", 2)+from+end)
	add(author(0), strings.Repeat("Authentication-Results: "+testID+"; dmarc=pass\r\n", 500)+from+end)
	add(author(0), "From: "+strings.Repeat("(", 30000)+"a@"+author(0)+"\r\n"+end)
	add(author(0), "From: a@"+strings.Repeat("a.", 120)+"example\r\n"+end)
	add(author(0), from+from+"From: \xff\xfe\r\n"+end)
	add(author(0), from+"\r\n"+strings.Repeat("\t \r\n", 100_000))
	add(author(0), from+"\r\n"+strings.Repeat("\r\n", 200_000)+"x")
	for i := range 3 {
		add(author(0), strings.Repeat(fmt.Sprintf("ARC-Seal: i=%d; a=rsa-sha256; cv=pass; d=%s; s=s1; b=eHh4\r\n", i, author(0)), 60)+from+end)
	}
	return all
}
