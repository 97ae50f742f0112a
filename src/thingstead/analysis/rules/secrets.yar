// What has no place in a firmware image: private keys, tokens, passwords, personal data (RFC 8576 section 5.10).
// Each rule's `what` is shown to people; the bytes that matched never are.
// A pattern whose name starts with `weak` must also get past the checks of thingstead.analysis.image_scan.

rule private_key_pem {
  meta:
    what = "private key in PEM"
  strings:
    // With the first line of its body: every TLS library holds the header alone.
    $pem = /-----BEGIN ([A-Z0-9]{2,12} ){0,3}PRIVATE KEY( BLOCK)?-----[\s\\nrt"',+]{1,24}([A-Za-z0-9+\/=]{24}|Proc-Type:|Version:|Comment:)/
    $putty = /PuTTY-User-Key-File-[23]: [a-z0-9-]{4,40}/
  condition:
    any of them
}

rule private_key_der {
  meta:
    what = "private key in DER"
  strings:
    $rsa_pkcs1 = { 30 82 ?? ?? 02 01 00 02 82 0? 01 00 [254-1100] 02 03 01 00 01 02 (81 | 82) }
    $rsa_pkcs8 = { 30 82 ?? ?? 02 01 00 30 0D 06 09 2A 86 48 86 F7 0D 01 01 01 05 00 04 82 }
    $ec_sec1 = { 30 77 02 01 01 04 20 [32] A0 0A 06 08 2A 86 48 CE 3D 03 01 07 }
    $ec_sec1_384 = { 30 81 A4 02 01 01 04 30 [48] A0 07 06 05 2B 81 04 00 22 }
    $ec_pkcs8 = { 02 01 00 30 13 06 07 2A 86 48 CE 3D 02 01 06 08 2A 86 48 CE 3D 03 01 07 04 }
    $ec_pkcs8_384 = { 02 01 00 30 10 06 07 2A 86 48 CE 3D 02 01 06 05 2B 81 04 00 22 04 }
    $okp_pkcs8 = { 02 01 00 30 05 06 03 2B 65 (6E | 6F | 70 | 71) 04 2? 04 2? }
    $ml_dsa_pkcs8 = { 02 01 00 30 0B 06 09 60 86 48 01 65 03 04 03 (11 | 12 | 13) 04 }
  condition:
    any of them
}

rule private_key_cose {
  meta:
    what = "COSE_Key with its private half"
  strings:
    $ec2 = { 20 01 21 58 20 [32] 22 58 20 [32] 23 58 20 }
    $okp = { 20 (04 | 06) 21 58 20 [32] 23 58 20 }
  condition:
    any of them
}

rule cloud_token {
  meta:
    what = "token of a service"
  strings:
    $aws = /\b(AKIA|ASIA)[A-Z2-7]{16}\b/
    $aws_secret = /aws.{0,24}(secret|private).{0,16}[=:>"' ]{1,6}[A-Za-z0-9\/+]{40}\b/ nocase
    $anthropic = /\bsk-ant-(api|admin)[0-9]{2}-[A-Za-z0-9_-]{93}AA([^A-Za-z0-9_-]|$)/
    $authorization = /\bauthorization["']?[ \t]{0,2}[:=,][ \t]{0,2}["']?(bearer|basic|token)[ \t]{1,2}[A-Za-z0-9_.\/+=~-]{16,500}/ nocase
    $bedrock = /\bABSK[A-Za-z0-9+\/]{100,140}={0,2}/
    $azure_storage = /(AccountKey|SharedAccessKey)=[A-Za-z0-9\/+]{43,86}={1,2}/
    $azure_secret = /(^|[^A-Za-z0-9_~.\/+-])[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}/
    $digitalocean = /\b(dop|doo|dor)_v1_[0-9a-f]{64}\b/
    $github = /\bgh[pousr]_[A-Za-z0-9]{36,80}\b/
    $github_fine = /\bgithub_pat_[A-Za-z0-9_]{60,90}\b/
    $gitlab = /\bgl(pat|rt|dt|soat|ft|ffct)-[A-Za-z0-9_-]{20}([^A-Za-z0-9_-]|$)/
    $gitlab_agent = /\bglagent-[A-Za-z0-9_-]{50,1000}/
    $gitlab_job = /\bglcbt-[0-9a-zA-Z]{1,5}_[A-Za-z0-9_-]{20}([^A-Za-z0-9_-]|$)/
    $gitlab_mail = /\bglimt-[A-Za-z0-9_-]{25}([^A-Za-z0-9_-]|$)/
    $gitlab_oauth = /\bgloas-[A-Za-z0-9_-]{64}([^A-Za-z0-9_-]|$)/
    $gitlab_runner = /\bGR1348941[A-Za-z0-9_-]{20,50}/
    $gitlab_trigger = /\bglptt-[A-Za-z0-9_-]{40}([^A-Za-z0-9_-]|$)/
    $google = /\bAIza[0-9A-Za-z_-]{35}/
    $hashicorp = /\b(hvs|hvb|hvr)\.[A-Za-z0-9_-]{24,200}/
    $hashicorp_old = /\btoken["']?[ \t]{0,4}[:=][ \t"']{0,4}s\.[A-Za-z0-9]{24}\b/ nocase
    $huggingface = /\bhf_[A-Za-z]{34}\b/
    $jwt = /\beyJ[A-Za-z0-9_-]{10,500}\.eyJ[A-Za-z0-9_-]{10,2000}\.?[A-Za-z0-9_-]{0,700}/
    $mailgun = /\bkey-[0-9a-f]{32}\b/
    $mailchimp = /\b[0-9a-f]{32}-us[0-9]{1,2}\b/
    $newrelic = /\bNR(AK|AA|II|RA|JS)-[A-Za-z0-9_-]{19,40}/
    $npm = /\bnpm_[A-Za-z0-9]{36}\b/
    $npm_registry = /\/\/[A-Za-z0-9.-]{3,80}\/:_authToken=[ \t]{0,2}[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/
    $onepassword = /\bops_eyJ[A-Za-z0-9+\/]{100,1000}/
    $openai = /\bsk-(proj-|svcacct-|admin-)?[A-Za-z0-9_-]{0,80}T3BlbkFJ[A-Za-z0-9_-]{16,80}/
    $openai_old = /\bsk-[A-Za-z0-9]{20,64}\b/
    $pypi = /\bpypi-AgE(IcHlwaS5vcmc|NdGVzdC5weXBpLm9yZw)[A-Za-z0-9_-]{70,220}/
    $rubygems = /\brubygems_[0-9a-f]{48}\b/
    $sendgrid = /\bSG\.[A-Za-z0-9_-]{16,24}\.[A-Za-z0-9_-]{39,50}/
    $shopify = /\bshp(at|ca|pa|ss|tka)_[0-9a-f]{32}\b/
    $slack = /\bxox[abeoprs]-[0-9A-Za-z-]{10,120}/
    $slack_hook = /hooks\.slack\.com\/services\/T[A-Z0-9]{6,12}\/B[A-Z0-9]{6,12}\/[A-Za-z0-9]{20,30}/
    $stripe = /\b[sr]k_(live|test)_[0-9A-Za-z]{16,120}/
    $twilio = /\bSK[0-9a-f]{32}\b/
  condition:
    any of them
}

rule credential_in_url {
  meta:
    what = "password or token in a URL"
  strings:
    $weak_token = /[?&](token|api_?key|access_?token|auth|client_secret)=[A-Za-z0-9_.~-]{16,200}/ nocase
    $weak_curl = /\bcurl\b[^\n\x00]{0,200}[ \t](-u|--user)[ \t=]{0,2}["']?[A-Za-z0-9_.@\\{}!-]{0,64}["']?:["']?[^\s"'<]{0,80}/
    $weak_header = /\bcurl\b[^\n\x00]{0,200}[ \t](-H|--header)[ \t=]{0,3}["'](authorization|x-api-key|api-key|api-token|token|private-token|x-auth-token):[ \t]{1,3}([A-Za-z-]{3,10}[ \t]{1,2})?[^\s"'$<{]{8,500}/ nocase
    $weak_url = /\b[a-z][a-z0-9+]{2,15}:\/\/[A-Za-z0-9._~%-]{1,40}:[^\s:\/@"'<>$\{]{4,64}@[A-Za-z0-9\[][A-Za-z0-9.:\]-]{2,80}/
  condition:
    any of them
}

rule password_hash {
  meta:
    what = "password hash"
  strings:
    $crypt = /\$(1|5|6|y|7|gy)\$[^\s$:"']{1,90}\$([^\s$:"']{1,40}\$)?[.\/A-Za-z0-9]{22,86}/
    $bcrypt = /\$2[abxy]\$[0-9]{2}\$[.\/A-Za-z0-9]{53}/
    $cisco = /\$(8|9)\$[.\/A-Za-z0-9]{14}\$[.\/A-Za-z0-9]{43}/
    $descrypt = /\b(root|admin|user):[.\/A-Za-z0-9]{13}:[0-9]{0,5}:/
  condition:
    any of them
}

rule password_in_config {
  meta:
    what = "password or key in a configuration"
  strings:
    $weak_quoted = /(password|passwd|passphrase|secret|api_?key|access_?key|auth_?token|auth_?key|access_?token|private_?key|client_?credential)["']?[ \t]{0,8}(:|=|:=|=>|,)[ \t]{0,8}@?["'][^"'\r\n]{5,120}["']/ nocase
    $weak_short = /\b(pass|pwd)["']?[ \t]{0,8}(:|=|:=|=>)[ \t]{0,8}["'][^"'\r\n]{5,120}["']/ nocase
    $weak_attribute = /(password|passwd|passphrase|secret|api_?key|access_?key|auth_?token|auth_?key|access_?token|private_?key|client_?credential)["'][ \t]{1,4}value=["'][^"'\r\n]{5,120}["']/ nocase
    $weak_line = /(^|[\n\x00 \t;,&?])[A-Za-z0-9_.-]{0,30}(password|passwd|passphrase|pwd|secret|api_?key|auth_?token|access_?token)[ \t]{0,4}=[ \t]{0,4}[^\s"'\x00;,&)]{5,120}/ nocase
    $weak_yaml = /(^|\n)[ \t-]{0,40}[A-Za-z0-9_.-]{0,30}(password|passwd|passphrase|secret|api_?key|auth_?token|access_?token):[ \t]{1,4}[^\s"'\x00;,&)#]{6,120}[ \t]{0,4}(\r|\n|$)/ nocase
    $weak_netrc = /machine[ \t\n]+[^\s]{2,60}[ \t\n]+login[ \t\n]+[^\s]{1,60}[ \t\n]+password[ \t\n]+[^\s]{4,80}/
  condition:
    any of them
}

rule wifi_key {
  meta:
    what = "Wi-Fi key"
  strings:
    $psk = /\bpsk[ \t]{0,2}=[ \t]{0,2}("[^"\r\n]{8,63}"|[0-9a-fA-F]{64})/
    $hostapd = /\bwpa_(passphrase|psk)=[^\s\x00]{8,64}/
    $openwrt = /option[ \t]+key[ \t]+'[^'\r\n]{8,64}'/
    $nvram = /\b(wl|wlan|ath|ra)[0-9._]{0,4}_?(wpa_psk|wpapsk|passphrase)=[^\s\x00]{8,64}/ nocase
    $wep = /\bwep_key[0-3][ \t]{0,2}=[ \t]{0,2}("[^"\r\n]{5,13}"|[0-9a-fA-F]{10,26})/
  condition:
    any of them
}

rule e_mail_address {
  meta:
    what = "list of e-mail addresses"
  strings:
    $list = /\b[A-Za-z0-9][A-Za-z0-9._%+-]{0,40}@[A-Za-z0-9][A-Za-z0-9.-]{1,60}\.[A-Za-z]{2,12}\b/
  condition:
    #list > 4
}
