from __future__ import annotations

from cryptography import x509

from infra.certificate import CertificatesProvider, service_names


def test_certificates_are_good_for_the_names_and_differ_each_time() -> None:
    names = service_names("one", "two", namespace="place")
    made = CertificatesProvider().create({"names": names})
    assert made.outs is not None
    shown = x509.load_pem_x509_certificate(made.outs["certificate"].encode())
    others = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert others.get_values_for_type(x509.DNSName) == names
    assert "one.place.svc" in names
    again = CertificatesProvider().create({"names": names})
    assert again.outs is not None
    assert again.outs["key"] != made.outs["key"]
    assert again.id != made.id


def test_only_other_names_make_others() -> None:
    made = CertificatesProvider().create({"names": ["a"]}).outs
    assert made is not None
    assert not CertificatesProvider().diff("id", made, {"names": ["a"]}).changes
    assert CertificatesProvider().diff("id", made, {"names": ["b"]}).replaces == ["names"]
