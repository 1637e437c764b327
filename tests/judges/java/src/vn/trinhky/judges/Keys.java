package vn.trinhky.judges;

import com.fasterxml.jackson.databind.JsonNode;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.EncryptionAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureAlgorithm;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.spi.DSSUtils;
import java.io.File;
import java.io.FileReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.PrivateKey;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;

/** A private key and its certificates from files, as openssl writes them: {@code {"key": PEM, "chain": [PEM…]}}, leaf first. */
record Keys(PrivateKey key, List<CertificateToken> chain) {
    static Keys of(JsonNode from) throws IOException {
        List<CertificateToken> chain = new ArrayList<>();
        for (JsonNode path : from.path("chain")) {
            chain.add(DSSUtils.loadCertificate(new File(path.asText())));
        }
        JcaPEMKeyConverter converter = new JcaPEMKeyConverter();
        try (PEMParser parser = new PEMParser(new FileReader(from.get("key").asText(), StandardCharsets.US_ASCII))) {
            Object read = parser.readObject();
            PrivateKeyInfo info = read instanceof PEMKeyPair pair ? pair.getPrivateKeyInfo() : (PrivateKeyInfo) read;
            return new Keys(converter.getPrivateKey(info), chain);
        }
    }

    CertificateToken leaf() {
        return chain.get(0);
    }

    /** SHA-256 with whatever kind of key it is; RSA with PKCS#1 v1.5 unless PSS is asked for. */
    SignatureAlgorithm algorithm(boolean pss) {
        EncryptionAlgorithm kind = EncryptionAlgorithm.forKey(leaf().getPublicKey());
        return SignatureAlgorithm.getAlgorithm(pss ? EncryptionAlgorithm.RSASSA_PSS : kind, DigestAlgorithm.SHA256);
    }
}
