// The Kotlin bindings at work on the JVM: a device key and a memory in Kotlin, a server in Kotlin, errors as next steps.

import java.security.KeyPairGenerator
import java.security.Signature
import java.security.interfaces.ECPublicKey
import java.security.spec.ECGenParameterSpec
import java.util.Base64
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlinx.coroutines.runBlocking
import vn.trinhky.core.*

class Key : DeviceKey {
    private val pair = KeyPairGenerator.getInstance("EC").apply { initialize(ECGenParameterSpec("secp256r1")) }.generateKeyPair()

    override suspend fun publicJwk(): PublicJwk {
        val point = (pair.public as ECPublicKey).w
        fun coordinate(number: java.math.BigInteger): String {
            val bytes = number.toByteArray().takeLast(32).toByteArray()
            return Base64.getUrlEncoder().withoutPadding().encodeToString(ByteArray(32 - bytes.size) + bytes)
        }
        return PublicJwk(coordinate(point.affineX), coordinate(point.affineY))
    }

    override suspend fun sign(message: ByteArray): ByteArray =
        Signature.getInstance("SHA256withECDSAinP1363Format").run { initSign(pair.private); update(message); sign() }
}

class Memory : Keep {
    var text: String? = null
    override fun load() = text
    override fun save(text: String) { this.text = text }
}

/** Answers by path, and notes what was asked. */
class Server(private val answers: Map<String, Pair<Int, String>>) : Transport {
    val asked = mutableListOf<Request>()

    override suspend fun send(request: Request): Response {
        asked += request
        val (status, body) = answers[request.path] ?: throw IllegalStateException("nobody expected ${request.path}")
        return Response(status.toUShort(), listOf(), body.toByteArray())
    }
}

class BindingTest {
    private val person = """{"id":"01JABCDEFGHJKMNPQRSTVWXYZ0","full_name":"Nguyễn Văn An","title":"Chủ tịch","office":"01JABCDEFGHJKMNPQRSTVWXYZ1","roles":["leader"]}"""
    private val signedIn = 201 to """{"token":"secret","expires_at":"2036-01-01T00:00:00Z","person":$person}"""

    private fun core(server: Transport, keep: Keep = Memory()) =
        Core(Settings("https://trinhky.example", ""), Key(), keep, server, null)

    @Test
    fun `signs in and looks into the inbox`() = runBlocking {
        val server = Server(mapOf("/v1/sessions" to signedIn, "/v1/inbox" to (200 to """{"documents":[]}""")))
        val session = core(server).signIn("an", "mật khẩu", "123456")
        assertEquals("Nguyễn Văn An", session.person().fullName)
        assertEquals(listOf(), session.inbox(null).documents)
        assertFalse(session.isEnrolled())
        assertEquals("Bearer secret", server.asked.last().headers.first { it.name == "authorization" }.value)
    }

    @Test
    fun `a refusal arrives as the next step`() = runBlocking {
        val problem = """{"type":"urn:trinhky:problem:bad_credentials","code":"bad_credentials","status":401,"title":"t","detail":"Sai."}"""
        val error = assertFailsWith<CoreException.SignIn> { core(Server(mapOf("/v1/sessions" to (401 to problem)))).signIn("an", "x", "1") }
        assertEquals("bad_credentials" to "Sai.", error.code to error.sentence)
    }

    @Test
    fun `an exception nobody declared becomes an error, not a crash`() = runBlocking {
        val error = assertFailsWith<CoreException.Retry> { core(Server(mapOf())).signIn("an", "x", "1") }
        assertEquals("offline", error.code)
        val session = core(Server(mapOf("/v1/sessions" to signedIn)), object : Keep {
            override fun load(): String? = throw IllegalStateException("disk gone")
            override fun save(text: String) = Unit
        }).signIn("an", "x", "1")
        assertEquals("storage_failed", assertFailsWith<CoreException.Retry> { session.isEnrolled() }.code)
    }

    @Test
    fun `the core's own network refuses plain http to other machines`() {
        val error = assertFailsWith<CoreException.Administrator> { Core(Settings("http://example.gov.vn", ""), Key(), Memory(), null, null) }
        assertEquals("settings_invalid", error.code)
    }
}
